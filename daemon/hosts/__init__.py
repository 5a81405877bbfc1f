"""What hosts went through: their state machine, what is told of it and what is kept."""
