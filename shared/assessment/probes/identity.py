"""Is what releases, and what is released, the same everywhere, and nobody else's?"""
