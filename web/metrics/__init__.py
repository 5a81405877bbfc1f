"""/metrics for Prometheus: what this viewer does, and what the tables say of daemon, jobs and deliveries.

Imported by workers only, after the fork: see `sharing`.
"""
