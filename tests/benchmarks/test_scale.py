"""What the benchmark of scale says about what it measured."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from benchmarks import scale
from benchmarks.scale import Point
from shared.base import StageError


def points(seconds: list[float], peaks: list[float]) -> list[Point]:
    return list(zip([1e4, 1e5, 1e6, 1e7], seconds, peaks, strict=True))


@pytest.mark.parametrize("power", [1.0, 2.0])
def test_the_exponent_is_that_of_large_tables(power: float) -> None:
    seconds = [5.0, *(1e-6 * np.array([1e5, 1e6, 1e7]) ** power)]  # constant costs make the first one slow
    assert scale.exponent(points(seconds, [1e9] * 4)) == pytest.approx(power)
    assert scale.exponent(points(seconds, [1e9] * 4)[:2]) is None


def test_what_fits_into_a_machine_is_extrapolated_where_memory_grows() -> None:
    assert scale.fitting(points([1.0] * 4, [1e9, 1.1e9, 2e9, 1e9 + 1e3 * (1e7 - 1e4)])) == pytest.approx(
        1e4 + (scale.MACHINE - 1e9) / 1e3
    )
    assert scale.fitting(points([1.0] * 4, [1e9, 1.01e9, 1e9, 1.02e9])) is None


def test_a_day_after_300_days_is_compared_with_one_after_10_at_the_same_traffic() -> None:
    def day(times: int, days: int, seconds: float) -> scale.Result:
        return {"times": times, "days": days, "watch": {"seconds": {"join": (seconds, 9.0), "report": (1.0, 9.0)}}}

    measured = [day(1, 10, 1.0), day(1, 100, 7.0), day(1, 300, 2.0), day(10, 10, 5.0), {"times": 10, "days": 100}]
    assert scale.ratio(measured, 1) == pytest.approx(1.5)
    assert scale.ratio(measured, 10) is None


@pytest.fixture
def short(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(scale, "STAGE", tmp_path)
    return tmp_path


def test_a_step_that_takes_too_much_is_ended_and_that_is_its_result(
    short: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scale, "MAX_BYTES", 1e6)  # Python alone has more
    assert scale.run("drop_year", 100_000) == {"ended": "more than 0 GB"}


@pytest.mark.slow
def test_a_step_that_fails_is_told_with_its_error(short: Path) -> None:
    with pytest.raises(StageError, match="KeyError: 'no such step'"):
        scale.run("no such step")


@pytest.mark.full
@pytest.mark.slow
def test_the_smallest_run_writes_every_document(checkout: Path) -> None:
    environment = os.environ | {"ROWS": "1", "STAGE": str(checkout / ".stage" / "bench")}
    subprocess.run(
        [sys.executable, "-m", "benchmarks.scale"], cwd=checkout, env=environment, check=True, timeout=900
    )
    written = (checkout / "docs" / "scale.md").read_text()
    assert "| 1 times | 10 |" in written
    assert "| 100,000 |" in written
    assert (checkout / "docs" / "scale.png").stat().st_size > 10_000
