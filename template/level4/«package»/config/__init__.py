"""Where things are and which code runs: knows no other room."""
