"""The real year, and what goes wrong in it."""
