"""What the year shows of each level."""
