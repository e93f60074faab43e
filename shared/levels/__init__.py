"""What keeps the copies of the levels honest, and the diffs between them."""
