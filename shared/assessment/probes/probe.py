"""What a probe is: a function with an id that looks at a scenario that has run, and finds something."""

from collections.abc import Callable
from dataclasses import dataclass

from ..criteria.criteria import Answer
from ..scenario.scenario import Scenario


@dataclass(frozen=True)
class Finding:
    """What a probe answers, and what it saw."""

    answer: Answer
    seen: str
    file: str = ""  # of the level or its stage, where a reader may look


Column = dict[str, dict[str, str]]  # of one level: by criterion, what was answered, seen, and where
Probe = Callable[[Scenario], Finding]
PROBES: dict[str, Probe] = {}


def probe(criterion: str) -> Callable[[Probe], Probe]:
    """Make a function the probe of a criterion."""

    def keep(function: Probe) -> Probe:
        PROBES[criterion] = function
        return function

    return keep


def present(seen: str, file: str = "") -> Finding:
    """It happens by itself."""
    return Finding(Answer.PRESENT, seen, file)


def manual(seen: str, file: str = "") -> Finding:
    """It happens only when people do it."""
    return Finding(Answer.MANUAL, seen, file)


def absent(seen: str, file: str = "") -> Finding:
    """It does not happen, with people or without."""
    return Finding(Answer.ABSENT, seen, file)


def holds(whether: bool, seen: str, otherwise: str, file: str = "") -> Finding:
    """Return present or absent, each with its own words."""
    return present(seen, file) if whether else absent(otherwise, file)
