"""Calls of Cisco Finesse: the asker's own, and those of the teams that they supervise."""
