"""Monitoring: what production shows, and the decisions that follow from it."""
