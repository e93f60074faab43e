"""The takeaways of the scoreboard: each sentence is made from figures, or left out if they do not bear it.

Log losses are compared by their difference on the same flights, with its error. A share of a difference is stated
only where the difference can be told from chance.
"""

from collections.abc import Callable
from typing import Any

from .difference import is_measurable

Board = dict[str, Any]
NOTHING = ("no harm", "prevented", "does not apply")


def takeaways(board: Board) -> list[str]:
    """Return the sentences that the figures bear; a level that is not simulated is not mentioned."""
    sentences = []
    for takeaway in TAKEAWAYS:
        try:
            sentence = takeaway(board)
        except KeyError:
            continue  # it is about a level, a simulation or a figure that is not there
        if sentence:
            sentences.append(sentence)
    return sentences


def verdict(difference: Board) -> str:
    """Say in words whether a log loss is lower or higher, and by how much."""
    mean, error = difference["mean"], difference["error"]
    if not error:
        return "the same"
    if not is_measurable(difference):
        return f"no different as far as one year can tell ({mean:+.4f} ± {error:.4f})"
    return f"{'lower' if mean < 0 else 'higher'} by {abs(mean):.4f} ± {error:.4f}"


def hands(board: Board) -> str | None:
    """State what the first step buys in work, and that it buys nothing in quality."""
    a, b = board["levels"]["0"], board["levels"]["1"]
    difference = board["differences"]["1-0"]["calm"]
    if b["human_steps"] >= a["human_steps"] or is_measurable(difference):
        return None
    return (
        f"Level 1 needs {b['human_steps']} human steps a year where level 0 needs {a['human_steps']}, and the log "
        f"loss of its calm year is {verdict(difference)}: software around a model does not improve the model."
    )


def alone(board: Board) -> str | None:
    """State what is left of each level when nobody comes to work."""
    nobody = {number: level["nobody"] for number, level in board["levels"].items()}
    others = {number: level for number, level in nobody.items() if number != "0"}
    if nobody["0"]["answered"] > 0.05 or min(level["answered"] for level in others.values()) < 0.9:
        return None
    fewest = min(level["answered"] for level in others.values())
    by_level = [
        f"level {number}'s is {verdict(level['against_people']['year'])}" for number, level in others.items()
    ]
    return (
        f"With nobody after the first model, level 0 answers {nobody['0']['answered']:.0%} of the flights, and "
        f"every other level at least {fewest:.1%}. The log loss with incidents, against that with people there: "
        f"{'; '.join(by_level)}."
    )


def tests(board: Board) -> str | None:
    """State what tests of the application are worth."""
    code = {number: level["incidents"]["code"] for number, level in board["levels"].items()}
    if any(impact["outcome"] not in NOTHING for number, impact in code.items() if number != "0"):
        return None
    moved = code["0"]["flights_moved"]
    if len(code) == 1 or moved < 50:
        return None
    return (
        f"A change that breaks a feature moves {moved:,} answers by more than 0.1 where code is changed on the "
        "server, and none where tests stand before a release: from level 1 on."
    )


def schedule(board: Board) -> str | None:
    """State what a schedule buys."""
    a, b = board["levels"]["1"], board["levels"]["2"]
    if not a["releases"] or not b["releases"]:
        return None
    return (
        f"Level 2's schedule trains {b['calm']['trainings']} models where people train {a['calm']['trainings']}: "
        f"the calm year's log loss is {verdict(board['differences']['2-1']['calm'])}. People still take "
        f"{b['steps_per_release']:g} steps for each release ({a['steps_per_release']:g} below)."
    )


def no_hands(board: Board) -> str | None:
    """State what automatic releases buy in work."""
    a, b = board["levels"]["2"], board["levels"]["3"]
    if b["human_steps"] >= a["human_steps"]:
        return None
    return f"Level 3 needs {b['human_steps']} human steps a year where level 2 needs {a['human_steps']}."


def automatic(board: Board) -> str | None:
    """State what automatic releases do to quality."""
    a, b = board["levels"]["2"]["calm"], board["levels"]["3"]["calm"]
    return (
        f"Without those hands, with {b['releases']} releases instead of {a['releases']}, level 3's log loss in "
        f"the calm year is {verdict(board['differences']['3-2']['calm'])}."
    )


def closed_loop(board: Board) -> str | None:
    """State what the closed loop adds to a schedule and hands."""
    a, b = board["levels"]["2"], board["levels"]["4"]
    return (
        f"Level 4's log loss against level 2's, in the calm year, is "
        f"{verdict(board['differences']['4-2']['calm'])}, with {b['calm']['trainings']} trainings instead of "
        f"{a['calm']['trainings']}; in the year with incidents it takes {b['human_steps']} human steps instead of "
        f"{a['human_steps']}."
    )


def shifts(board: Board) -> str | None:
    """State where a model that follows the year is worth most."""
    by_level = [
        f"level {above}'s log loss is {verdict(board['differences'][f'{above}-1']['after_shifts'])}"
        for above in "24"
    ]
    return (
        "In the six weeks after the storms began, and after the September calm began, against level 1: "
        f"{'; '.join(by_level)}."
    )


def monitored(board: Board) -> str | None:
    """State what only monitoring notices."""
    below = [level["incidents"] for number, level in board["levels"].items() if number != "4"]
    last = {name: board["levels"]["4"]["incidents"][name] for name in _injected(board)}
    days = {
        name: impact["noticed_by_machine"]
        for name, impact in last.items()
        if impact["noticed_by_machine"] is not None
        and impact["outcome"] in ("noticed by the machine", "prevented")
        and all(other[name]["noticed_by_machine"] is None for other in below)
    }
    if not days:
        return None
    names = ", ".join(f"{name} (day {day})" for name, day in days.items())
    return f"Level 4's machine alone notices {names}."


def everywhere(board: Board) -> str | None:
    """State what no level does anything about."""
    names = [
        name
        for name in _injected(board)
        if all(level["incidents"][name]["outcome"] not in NOTHING for level in board["levels"].values())
    ]
    return f"Some incidents harm every level: {', '.join(names)}." if names else None


def _injected(board: Board) -> list[str]:
    return [name for name, incident in board["incidents"].items() if not incident["natural"]]


def full_disk(board: Board) -> str | None:
    """State what it costs to log every answer."""
    a, b = (board["levels"][number]["incidents"]["disk"]["flights_unanswered"] for number in ("2", "3"))
    if b <= a + 50:
        return None
    return (
        f"One thing gets worse: on the day the disk is full, level 3 leaves {b:,} flights unanswered and level 2 "
        f"{a:,}, because an answer that cannot be logged is not given."
    )


def room(board: Board) -> str | None:
    """State between which log losses all this happens."""
    calm = [level["calm"]["log_loss"] for level in board["levels"].values()]
    scale = board["scale"]
    return (
        f"How much there is to gain: answering every flight with the year's share of late ones gives "
        f"{scale['constant']}, knowing each day's share before it begins and nothing else "
        f"{scale['day']}. The levels' calm years lie between {min(calm)} and {max(calm)}."
    )


def price(board: Board) -> str | None:
    """State what it all costs."""
    levels = board["levels"]
    first, last = min(levels), max(levels)
    a, b = levels[first]["cost"], levels[last]["cost"]
    return (
        f"The price: {a['code']:,} lines of code at level {first} and {b['code']:,} at level {last}, "
        f"{a['packages']} packages ({a['packages_mb']:,} MB) and {b['packages']} ({b['packages_mb']:,} MB)."
    )


def when_to_stop(board: Board) -> str | None:
    """State how much of the gain in quality the schedule has, if there is a gain that can be measured."""
    to_schedule, to_loop = (board["differences"][pair]["calm"] for pair in ("2-0", "4-0"))
    if not is_measurable(to_loop) or to_loop["mean"] > 0:
        return None
    share = to_schedule["mean"] / to_loop["mean"]
    return (
        f"When to stop: of what level 4 gains in log loss over level 0 in the calm year ({-to_loop['mean']:.4f} ± "
        f"{to_loop['error']:.4f}), level 2 has {share:.0%}. Who releases seldom, and has people to look, can "
        "weigh the rest against its price; what comes after level 2 also buys hands, evidence and safety."
    )


TAKEAWAYS: tuple[Callable[[Board], str | None], ...] = (
    hands,
    alone,
    tests,
    schedule,
    no_hands,
    automatic,
    closed_loop,
    shifts,
    monitored,
    everywhere,
    full_disk,
    room,
    price,
    when_to_stop,
)
