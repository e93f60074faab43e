"""The world the levels live in: one real year of flights, and the clock that plays it."""
