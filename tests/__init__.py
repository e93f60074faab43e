"""What the house promises, as checks that run."""
