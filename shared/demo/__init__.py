"""Days played for people to watch."""
