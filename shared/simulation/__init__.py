"""The year as every level lives it, kept as events."""
