"""What the offline server answers: deterministic, and true about what it read."""
