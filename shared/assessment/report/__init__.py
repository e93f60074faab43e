"""The matrix and the pages made of it."""
