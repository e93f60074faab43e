"""Errors that people can do something about."""


class StageError(Exception):
    """Something is wrong with what came in; the message names it and says what to do."""
