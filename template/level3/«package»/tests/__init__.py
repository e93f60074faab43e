"""Checks of this level, which go with it wherever it is taken."""
