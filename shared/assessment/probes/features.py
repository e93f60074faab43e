"""Is each feature allowed, of use, tested, and easy to add?"""
