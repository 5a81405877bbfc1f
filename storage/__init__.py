"""The database and nothing else: models, sessions, migrations, one module for each aggregate."""
