"""Measurements: run by hand, side by side, and written down with what they found."""
