"""What production shows, and what is done about it."""
