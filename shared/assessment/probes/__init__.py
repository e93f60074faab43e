"""What looks at a level, a function for each criterion."""
