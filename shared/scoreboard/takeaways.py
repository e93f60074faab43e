"""The takeaways of the scoreboard: each sentence is made from figures, or left out if they do not bear it."""

from collections.abc import Callable
from typing import Any

Board = dict[str, Any]
NOTHING = ("no harm", "prevented", "does not apply")


def takeaways(board: Board) -> list[str]:
    """Return the sentences that the figures bear; a level that is not simulated is not mentioned."""
    sentences = []
    for takeaway in TAKEAWAYS:
        try:
            sentence = takeaway(board["levels"])
        except KeyError:
            continue  # it is about a level or a simulation that is not there
        if sentence:
            sentences.append(sentence)
    return sentences


def hands(levels: Board) -> str | None:
    """State what the first step buys in work, and that it buys nothing in quality."""
    a, b = levels["0"], levels["1"]
    if b["human_steps"] >= a["human_steps"] or abs(a["calm"]["log_loss"] - b["calm"]["log_loss"]) > 0.002:
        return None
    return (
        f"Level 1 needs {b['human_steps']} human steps a year where level 0 needs {a['human_steps']}, and answers "
        f"no better (log loss {b['calm']['log_loss']} and {a['calm']['log_loss']} in the calm year): software "
        "around a model does not improve the model."
    )


def alone(levels: Board) -> str | None:
    """State what is left of each level when nobody comes to work, and which one stays good."""
    shares = {number: level["nobody"]["answered"] for number, level in levels.items() if "nobody" in level}
    if shares["0"] > 0.05 or min(shares[number] for number in shares if number != "0") < 0.9:
        return None
    fewest = min(share for number, share in shares.items() if number != "0")
    left = {number: levels[number]["nobody"]["log_loss"] for number in "234"}
    attended = levels["2"]["log_loss"]
    if left["4"] > attended + 0.001 or min(left["2"], left["3"]) < left["4"] + 0.003:
        return None
    return (
        f"With nobody after the first model, level 0 answers {shares['0']:.0%} of the flights; every other level "
        f"answers at least {fewest:.1%}, but only level 4 stays as good as with people: its log loss in the "
        f"year with incidents is {left['4']}, level 2's is {attended} with people and {left['2']} without, "
        f"level 3's {left['3']}."
    )


def tests(levels: Board) -> str | None:
    """State what tests of the application are worth."""
    harmed = {number: level["incidents"]["code"]["flights_harmed"] for number, level in levels.items()}
    others = [harmed[number] for number in harmed if number != "0"]
    if any(levels[number]["incidents"]["code"]["outcome"] not in NOTHING for number in levels if number != "0"):
        return None
    if not others or harmed["0"] < 50:
        return None
    return (
        f"A change that breaks a feature harms {harmed['0']:,} flights where code is changed on the server, and "
        "none where tests stand before a release: from level 1 on."
    )


def schedule(levels: Board) -> str | None:
    """State what a schedule buys."""
    a, b = levels["1"], levels["2"]
    gained = a["calm"]["log_loss"] - b["calm"]["log_loss"]
    if gained <= 0:
        return None
    return (
        f"Level 2's schedule ({b['calm']['trainings']} trainings against {a['calm']['trainings']}) improves the "
        f"calm year's log loss by {gained:.4f}, from {a['calm']['log_loss']} to {b['calm']['log_loss']}; people "
        f"still take {b['steps_per_release']:g} steps for each release ({a['steps_per_release']:g} below)."
    )


def no_hands(levels: Board) -> str | None:
    """State what automatic releases buy in work, and what they cost in time."""
    a, b = levels["2"], levels["3"]
    if b["human_steps"] >= a["human_steps"]:
        return None
    slower = b["dora"]["change_lead_time_days"] > a["dora"]["change_lead_time_days"]
    but = (
        f"; but a model takes {b['dora']['change_lead_time_days']:g} days from its training to all traffic "
        f"instead of {a['dora']['change_lead_time_days']:g}, because an A/B test wants its days"
    )
    return (
        f"Level 3 needs {b['human_steps']} human steps a year where level 2 needs "
        f"{a['human_steps']}{but if slower else ''}."
    )


def not_better(levels: Board) -> str | None:
    """State that automatic releases do not make better models, and what gates cost that look at one week."""
    a, b = levels["2"]["calm"], levels["3"]["calm"]
    change = b["log_loss"] - a["log_loss"]
    if change < -0.004 or (change > 0.004 and b["releases"] >= a["releases"]):
        return None
    worse = "worse" if change > 0 else "better"
    why = ": gates that look at one week refuse what people let through" if change > 0.004 else ""
    return (
        f"They do not make the model better: the calm year's log loss is {abs(change):.4f} {worse} at level 3 "
        f"than at level 2, with {b['releases']} releases instead of {a['releases']}{why}."
    )


def everywhere(levels: Board) -> str | None:
    """State what no level does anything about."""
    names = [
        name
        for name in next(iter(levels.values()))["incidents"]
        if all(level["incidents"].get(name, {}).get("outcome") not in NOTHING for level in levels.values())
    ]
    if not names:
        return None
    return f"Some incidents harm every level: {', '.join(names)}. What comes wrong from outside is answered wrong."


def full_disk(levels: Board) -> str | None:
    """State what it costs to log every answer."""
    a, b = (levels[number]["incidents"]["disk"]["flights_unanswered"] for number in ("2", "3"))
    if b <= a + 50:
        return None
    return (
        f"One thing gets worse: on the day the disk is full, level 3 leaves {b:,} flights unanswered and level 2 "
        f"{a:,}, because an answer that cannot be logged is not given."
    )


def triggers(levels: Board) -> str | None:
    """State how much of what triggers get a schedule gets."""
    once, by_schedule, by_trigger = (levels[number]["calm"] for number in ("1", "2", "4"))
    whole = once["log_loss"] - by_trigger["log_loss"]
    if whole <= 0:
        return None
    share = (once["log_loss"] - by_schedule["log_loss"]) / whole
    return (
        f"Level 2's monthly schedule, whose models people release, gets {share:.0%} of what level 4's triggers "
        f"get over level 1 in the calm year, with {by_schedule['trainings']} trainings instead of "
        f"{by_trigger['trainings']}; in the year with incidents it takes {levels['2']['human_steps']} human steps "
        f"instead of {levels['4']['human_steps']}."
    )


def monitored(levels: Board) -> str | None:
    """State what only monitoring notices."""
    below = [level["incidents"] for number, level in levels.items() if number != "4"]
    days = {
        name: impact["noticed_by_machine"]
        for name, impact in levels["4"]["incidents"].items()
        if impact["outcome"] == "noticed by the machine"
        and all(other[name]["noticed_by_machine"] is None for other in below)
    }
    if not days:
        return None
    names = ", ".join(f"{name} (day {day})" for name, day in days.items())
    return (
        f"Level 4's machine alone notices {names}. It answers wrongly meanwhile like the others; what it spares "
        "is a model that was trained on it."
    )


def price(levels: Board) -> str | None:
    """State what it all costs."""
    first, last = min(levels), max(levels)
    a, b = levels[first]["cost"], levels[last]["cost"]
    return (
        f"The price: {a['code']:,} lines of code at level {first} and {b['code']:,} at level {last}, "
        f"{a['packages']} packages ({a['packages_mb']:,} MB) and {b['packages']} ({b['packages_mb']:,} MB)."
    )


def when_to_stop(levels: Board) -> str | None:
    """State where most of the quality comes from."""
    losses = {number: level["calm"]["log_loss"] for number, level in levels.items()}
    best = min(losses, key=lambda number: losses[number])
    gained, whole = losses["0"] - losses["2"], losses["0"] - losses[best]
    if whole <= 0:
        return None
    share = gained / whole
    if share < 0.5:
        return None
    return (
        f"When to stop: level 2 has {share:.0%} of the quality that the best level (level {best}) adds to level "
        "0. Who releases seldom, and has people to look, can stop there; what comes after buys hands, evidence "
        "and safety."
    )


TAKEAWAYS: tuple[Callable[[Board], str | None], ...] = (
    hands,
    alone,
    tests,
    schedule,
    no_hands,
    not_better,
    triggers,
    monitored,
    everywhere,
    full_disk,
    price,
    when_to_stop,
)
