"""Which models there are, what became of them, and what serves."""
