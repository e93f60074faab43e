"""An honest reading of the scoreboard: each sentence is made from figures that it needs to be true."""

from typing import Any

Board = dict[str, Any]


def reading(board: Board) -> list[str]:
    """Return the sentences that the figures bear."""
    return []
