"""The ERP in the viewer: log-in by it, and who it knows."""
