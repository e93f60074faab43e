"""The offline replica: policies of a year on cached models, in minutes instead of hours."""
