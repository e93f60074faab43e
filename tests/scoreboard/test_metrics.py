"""Metrics of a year: on event logs and answers that are made up, so that the right value is known."""

from pathlib import Path

import numpy as np
import pytest

from shared.scoreboard.dora import dora
from shared.scoreboard.metrics import people, quality
from shared.scoreboard.result import Result

from .made_up import day, release, simulated, spoil


@pytest.fixture
def calm(tmp_path: Path) -> Result:
    return simulated(tmp_path / "calm.jsonl", m_2=0.5, m_3=0.2, m_4=0.21)


def test_quality_is_what_it_is(calm: Result) -> None:
    found = quality(calm)
    assert found["log_loss"] == pytest.approx(-0.205 * np.log(0.2) - 0.795 * np.log(0.8), abs=1e-4)
    assert (found["auc"], found["calibration_error"], found["answered"]) == (0.5, 0.005, 1.0)
    assert quality(spoil(calm, 0, 29, 0.305))["calibration_error"] == pytest.approx(0.1)


def test_a_year_without_answers_has_no_quality(calm: Result) -> None:
    found = quality(spoil(calm, 0, 29, np.nan))
    assert found == {"log_loss": None, "auc": None, "calibration_error": None, "answered": 0.0}


def test_releases_are_measured_as_dora_says(calm: Result) -> None:
    result = release(release(calm, 5, 8, "m/2"), 10, 15, "m/3")
    result.event_log.write(day(29), "day")
    found = dora(result)
    assert (found["deployments"], found["change_lead_time_days"]) == (2, 4)
    assert (found["change_fail_rate"], found["change_improvement_rate"]) == (0.5, 0.5)
    assert found["failed_deployment_recovery_days"] == 7
    assert found["deployment_rework_rate"] == 0


def test_a_release_that_merely_differs_has_not_failed(calm: Result) -> None:
    result = release(calm, 5, 8, "m/4")
    result.event_log.write(day(29), "day")
    found = dora(result)
    assert (found["change_fail_rate"], found["change_improvement_rate"]) == (0, 0)


def test_a_release_is_not_blamed_for_spoilt_input(calm: Result) -> None:
    result = spoil(release(calm, 5, 8, "m/4"), 9, 14, 0.9)
    result.event_log.write(day(29), "day")
    assert dora(result)["change_fail_rate"] == 0


def test_steps_are_counted_by_role_and_release(calm: Result) -> None:
    result = release(calm, 5, 8, "m/2")
    for n, why in ((0, "first model"), (8, "candidate waits"), (8, "candidate waits"), (9, "")):
        result.event_log.write(day(n), "step", id="x", role="engineer", why=why, ok=True)
    assert people(result) == {"human_steps": 3, "by_role": {"engineer": 3}, "steps_per_release": 2.0}
