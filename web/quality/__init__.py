"""Quality control: how many issues of some kinds came in when, where, and what became of them."""
