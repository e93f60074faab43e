"""The ML Test Score: the rule of 2017, on answers made up for it."""

import pytest

from shared.assessment.criteria.criteria import read_criteria
from shared.assessment.criteria.score import band, estimate, read_tests, score

ALL = dict.fromkeys(read_criteria(), "PRESENT")


def test_there_are_seven_tests_in_each_of_four_sections() -> None:
    ids = [test.id for test in read_tests()]
    assert ids == [f"{letter}{n}" for letter in "DMIW" for n in range(1, 8)]
    assert all(name in read_criteria() for test in read_tests() for name in [*test.one, *test.half])


@pytest.mark.parametrize(("level", "final"), [(0, 0), (1, 0), (2, 2), (3, 4.5), (4, 7)])
def test_the_first_estimate_is_as_it_was_made(level: int, final: float) -> None:
    assert estimate(level)["final"] == final


def test_half_a_point_by_hand_and_one_by_itself() -> None:
    assert score(ALL)["points"]["I7"] == 1
    assert score(ALL | {"REL-09": "MANUAL"})["points"]["I7"] == 0.5
    for answer in ("ABSENT", "ERROR", "UNPROBED"):
        assert score(ALL | {"REL-09": answer})["points"]["I7"] == 0


def test_the_weakest_section_is_the_score() -> None:
    found = score(ALL)
    assert found["final"] == min(found["sections"].values()) == found["sections"]["model"] == 6.5
    assert [test.split()[0] for test in found["missing"]] == ["M1"]


def test_what_nothing_looks_at_counts_nothing() -> None:
    assert score({})["final"] == 0
    assert score(ALL)["points"]["M1"] == 0.5  # nothing looks at reviews


@pytest.mark.parametrize(
    ("final", "says"),
    [
        (0, "research"),
        (0.5, "holes"),
        (1, "holes"),
        (1.5, "first pass"),
        (3, "reasonably"),
        (5, "strongly"),
        (5.5, "exceptional"),
    ],
)
def test_bands_are_those_of_2017(final: float, says: str) -> None:
    assert says in band(final)
