"""The page of the decisions: what the replica measured, as tables."""

from typing import Any

from shared.markdown import table

from .nulls import SAMPLES

HEAD = """# What decides, measured

How often the gates, the A/B test and the triggers are right, on the real flights of the year, in a replica that
plays policies on cached models. Written by

```sh
make bench
```

All figures are also in [decisions.json](decisions.json). One year and one model: the limits were chosen on
the same year, so expect worse of another one.
"""

POLICIES = """
## Policies of a year

March to December without incidents, on cached models: what each level does, beside a constant, an oracle that
knows each day's share of late flights and nothing else, and refits that are released blindly. Try one of your own:
a file with a generator `policy`, like those in [policies.py](../benchmarks/replica/policies.py), and
`make replica POLICY=mine.py`.

![log loss gained over a model that is trained once, over the year](decisions.png)
"""

TRIGGERS = """
## The performance trigger of level 4

The daily bias of a model that is trained anew every Monday, so that there is nothing to learn, deviates by
{deviation:.2f} from day to day, and a day resembles the one before it (correlation {autocorrelation:.2f}). With
mornings drawn in blocks of seven days, {block:.1%} of weeks have a false alarm ({single:.1%} with single days,
which real ones are not). About a model that is never renewed it alarms {old} times a year.
"""

GATES = """
## The model gates

Sound candidates of every Monday, against a champion that is some weeks older. Neither has seen the fortnight that
the gates judge them on. Refused:
"""

FAULTS = """
Faulty candidates of every second Monday, against a champion that is four weeks older. Refused:
"""


EXPERIMENT = """
## The A/B test and the rollback

Experiments of {days} days between arms that do not differ: a coin decides which of two real models an arm holds. A
verdict is about days to come, so the coin that matters is tossed by day, not by flight number. Share of wrong
verdicts, in {samples} experiments each, and of champions that would be rolled back within two weeks:

{nulls}

Of {models} champions that were trained on flipped labels, {back} would be rolled back, half of them within
{wait:g} days.
"""


def page(results: dict[str, Any]) -> str:
    """Return the page."""
    parts = policies(results["policies"]), gates(results["gates"]), experiment(results["experiment"])
    return HEAD + "".join(parts) + triggers(results["triggers"])


def experiment(measured: dict[str, Any]) -> str:
    """Return how often the A/B test and the rollback are wrong."""
    verdicts = list(next(iter(measured["nulls"].values())))
    rows = [[coin, *(f"{row[name]:.1%}" for name in verdicts)] for coin, row in measured["nulls"].items()]
    bad = measured["bad champions"]
    return EXPERIMENT.format(
        days=measured["days"],
        samples=SAMPLES,
        nulls=table(["coin tossed by", *verdicts], rows),
        models=bad["models"],
        back=bad["rolled back"],
        wait=bad["median days"],
    )


def policies(measured: dict[str, Any]) -> str:
    """Return what policies win over the year."""
    rows = [
        [name, f"{row['log_loss']:.4f}", row["against level 2"], f"{row['t']:.1f}"]
        for name, row in measured.items()
    ]
    return POLICIES + "\n" + table(["policy", "log loss", "against level 2, by week", "t"], rows) + "\n"


def triggers(measured: dict[str, Any]) -> str:
    """Return how often the performance trigger is wrong."""
    false = measured["false alarms"]
    return TRIGGERS.format(
        **measured,
        single=false["1"],
        block=false["7"],
        old=measured["alarms about a model that is never renewed"],
    )


def gates(measured: dict[str, Any]) -> str:
    """Return what the gates refuse, sound and faulty."""
    names = [name for name in next(iter(measured["sound"].values())) if name not in ("candidates", "refused")]
    columns = ["candidates", "refused", *names]
    sound = [[weeks, *(str(row[name]) for name in columns)] for weeks, row in measured["sound"].items()]
    faulty = [[name, *(str(row[column]) for column in columns)] for name, row in measured["faulty"].items()]
    headings = [column.replace("_", " ") for column in columns]
    return (
        GATES
        + "\n"
        + table(["weeks", *headings], sound)
        + "\n"
        + FAULTS
        + "\n"
        + table(["fault", *headings], faulty)
        + "\n"
    )
