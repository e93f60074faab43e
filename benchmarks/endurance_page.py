"""The account of the long run, as a page."""

from typing import Any

from shared.markdown import table


def page(account: dict[str, Any]) -> str:
    """Return the page, as Markdown."""
    return "\n\n".join([*_summary(account), *_odd_files(account), *_killed(account), *_sizes(account)]) + "\n"


def _summary(account: dict[str, Any]) -> list[str]:
    unwatched, unanswered = account["unwatched"], account["unanswered"]
    lines = [
        f"- {account['acknowledged']:,} answers were acknowledged; {account['lost']} of them are not in the "
        f"prediction log.",
        f"- On {len(unwatched)} days no check of production came to its end{_dates(unwatched)}.",
        f"- On {len(unanswered)} days the flights were not predicted{_dates(unanswered)}. The disk was full on "
        f"{account['full'] or 'no day'}.",
        f"- {len(account['killed'])} processes were killed, {len(account['odd'])} odd files came.",
    ]
    about = (
        f"Level 4 ran {account['days']} days while a process was killed every ten days, a file was not what it "
        "should be every seven, and no process could write to its disk on one day. Made by "
        "`python -m benchmarks.endurance`."
    )
    return ["# A long run, with trouble", about, "\n".join(lines)]


def _dates(days: dict[str, str]) -> str:
    return f": {', '.join(days)}" if days else ""


def _odd_files(account: dict[str, Any]) -> list[str]:
    rows = [
        [
            odd["day"],
            odd["what"],
            f"`{odd['file']}`",
            "nothing to say" if odd["harmless"] and not odd["named"] else _named(odd["named"]),
        ]
        for odd in account["odd"]
    ]
    text = "Each was published again, right, on the next day. Those that say the same as the right file are read."
    return ["## Odd files", text, table(["day", "what came", "file", "named"], rows)]


def _named(days: list[str]) -> str:
    return f"on {len(days)} day" + ("s" if len(days) != 1 else "")


def _killed(account: dict[str, Any]) -> list[str]:
    rows = [[killed["day"], f"`{killed['process']}`"] for killed in account["killed"]]
    return ["## Killed processes", table(["day", "process"], rows)]


def _sizes(account: dict[str, Any]) -> list[str]:
    grown: dict[str, dict[str, float]] = account["sizes"]
    if not grown:
        return []
    names = list(list(grown.values())[-1])
    rows = [[f"`{name}`", *(str(sizes.get(name, 0.0)) for sizes in grown.values())] for name in names]
    text = "The rule for each is in [house.md](house.md#what-a-stage-keeps)."
    return ["## What the stage takes, in MB", text, table(["what", *grown], rows)]
