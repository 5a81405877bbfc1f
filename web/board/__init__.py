"""The board: tasks in columns by status."""
