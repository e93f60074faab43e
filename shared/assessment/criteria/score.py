"""The ML Test Score of each level, by the rule of 2017, from what the probes found.

Breck, Cai, Nielsen, Salib, Sculley: "The ML Test Score: A Rubric for ML Production Readiness and Technical Debt
Reduction" (IEEE Big Data, 2017): half a point for a test done by hand and written down, one for a test that is
automated and repeated; a section is the sum of its seven tests, and the score is the lowest of the four sections.
The version of 2016 counts otherwise. What nothing here has shown counts nothing, although it may be there.
"""

from dataclasses import dataclass, field
from typing import Any

import yaml

from .criteria import HERE, Answer

SECTIONS = {"D": "data", "M": "model", "I": "infrastructure", "W": "monitoring"}
BANDS = (
    (0, "a research project"),
    (1, "not entirely untested, and maybe with serious holes"),
    (2, "a first pass at production"),
    (3, "reasonably tested"),
    (5, "strongly tested and watched"),
)
BEST = "exceptional"
SHOWN = (Answer.PRESENT, Answer.MANUAL)


@dataclass(frozen=True)
class Test:
    """One of the 28 tests, and the criteria that show it."""

    id: str
    title: str
    estimate: list[float]
    one: list[str] = field(default_factory=list)
    half: list[str] = field(default_factory=list)

    def points(self, answers: dict[str, str]) -> float:
        """Return 0, a half or 1 by what was answered for each criterion."""
        if self.one and all(answers.get(name) == Answer.PRESENT for name in self.one):
            return 1.0
        by_hand = self.half or self.one
        return 0.5 if by_hand and all(answers.get(name) in SHOWN for name in by_hand) else 0.0


def read_tests() -> list[Test]:
    """Return the 28 tests."""
    return [Test(**entry) for entry in yaml.safe_load((HERE / "ml_test_score.yaml").read_text())]


def score(answers: dict[str, str]) -> dict[str, Any]:
    """Return sections, final score, its band, and what the weakest section lacks, for one level's answers."""
    points = {test.id: test.points(answers) for test in read_tests()}
    sections = {
        name: sum(value for key, value in points.items() if key[0] == letter) for letter, name in SECTIONS.items()
    }
    final = min(sections.values())
    weakest = [letter for letter, name in SECTIONS.items() if sections[name] == final]
    missing = [
        f"{test.id} {test.title}: {_why(test, answers)}"
        for test in read_tests()
        if test.id[0] in weakest and points[test.id] < 1
    ]
    return {"sections": sections, "final": final, "band": band(final), "points": points, "missing": missing}


def _why(test: Test, answers: dict[str, str]) -> str:
    needed = test.one or test.half
    if not needed:
        return "nothing here looks at it yet"
    left = [
        f"{name} is {answers.get(name, 'not assessed')}" for name in needed if answers.get(name) != Answer.PRESENT
    ]
    return ", ".join(left) or "more than is shown here would be needed"


def estimate(level: int) -> dict[str, Any]:
    """Return sections and final score as they were first estimated."""
    tests = read_tests()
    sections = {
        name: sum(test.estimate[level] for test in tests if test.id[0] == letter)
        for letter, name in SECTIONS.items()
    }
    return {"sections": sections, "final": min(sections.values())}


def band(final: float) -> str:
    """Return what the rubric says of such a score."""
    return next((words for limit, words in BANDS if final <= limit), BEST)
