"""How the scoreboard's page shows a figure."""

from typing import Any

Board = dict[str, Any]

WAITS = "waits"  # a figure that comes with the next simulation of the year


def both(*path: str) -> Any:
    """Return a way to show a figure with people and, after a slash, with nobody."""

    def show(level: Board) -> str:
        shown = show_value(at(level, path))
        return f"{shown} / {show_value(at(level['nobody'], path))}" if "nobody" in level else shown

    return show


def one(*path: str) -> Any:
    """Return a way to show a figure with people."""
    return lambda level: show_value(at(level, path))


def difference(found: Any) -> str:
    """Show a difference with its error, and with t where there is one."""
    if not isinstance(found, dict):
        return show_value(found)
    if found["error"] is None:
        return f"{found['mean']:+.4f}"
    if not found["error"]:
        return "the same"
    t = "" if found["t"] is None else f", t {found['t']:+.1f}"
    return f"{found['mean']:+.4f} ± {found['error']:.4f}{t}"


def count(number: int, noun: str) -> str:
    """Show how many of something there are."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def at(level: Board, path: tuple[str, ...]) -> Any:
    """Return the figure at a path; one that is not there yet waits."""
    found: Any = level
    for name in path:
        found = found.get(name, WAITS) if isinstance(found, dict) else found
    return found


def show_value(value: Any) -> str:
    """Show any figure."""
    if value is None:
        return "none"
    if isinstance(value, str):
        return value
    if isinstance(value, dict):
        return ", ".join(f"{name} {count}" for name, count in value.items()) or "none"
    if isinstance(value, list):
        return " and ".join(map(show_value, value))
    return f"{value:,}" if isinstance(value, int) else f"{value:g}"
