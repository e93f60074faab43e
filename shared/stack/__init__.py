"""The running stage of a level: its processes or containers, and the people who work on it."""
