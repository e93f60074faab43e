"""Releases of the code, and the servers it needs."""
