"""From an answer back to where it came from."""
