"""The lists of tasks: which of them may be shown, the page and its JSON."""
