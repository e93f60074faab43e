"""Start a project of your own from a level."""
