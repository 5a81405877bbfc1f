"""People of the ERP: what changed about them, and when they are reminded."""
