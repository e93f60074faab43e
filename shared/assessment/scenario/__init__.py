"""What is played through every level before the probes look."""
