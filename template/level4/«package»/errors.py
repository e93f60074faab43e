"""Errors that people can do something about."""


class StageError(Exception):
    """Something is wrong with what came in; the message names it and says what to do."""


class RefusedError(StageError):
    """A step refused to go on with a training; trying again with the same data would end the same way."""
