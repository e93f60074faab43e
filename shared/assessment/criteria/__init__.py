"""The criteria as data, and what follows from answers to them."""
