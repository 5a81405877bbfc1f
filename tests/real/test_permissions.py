"""Nobody is told, or goes on being shown, what Redmine itself would not show them; and nobody is left out.

One scenario of roles, projects and private things is played on a Redmine. What each person should have
been told is worked out from the scenario's own table (who is concerned) and from that person's own reading
of each issue over Redmine's API (what they may see), never by the product's code.
"""
