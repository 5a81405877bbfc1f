"""One task: read and changed in Redmine as the person who looks at it."""
