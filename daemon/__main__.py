"""`python -m daemon` is the `helpdesk` command."""

from daemon.cli import main

main()
