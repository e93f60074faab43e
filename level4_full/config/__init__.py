"""Where things are, what runs, and what is set: knows nobody."""
