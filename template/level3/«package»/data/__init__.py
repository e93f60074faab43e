"""What comes in: described, collected, checked, kept, and turned into features."""
