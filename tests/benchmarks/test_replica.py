"""The offline replica: what it draws and counts, and that a reader's policy can be played with one command."""

import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

os.environ.setdefault("STAGE", "/dev/null")  # modules of the levels ask for it

from benchmarks.replica import nulls, page, plot, triggers
from benchmarks.replica.play import Played
from shared.base import ROOT
from shared.world.period import LIVE

POLICY = '''
def policy(year):
    """Answer with the share of late flights of all days before."""
    for day in year.live:
        today = year.on(day)
        yield [year.late[: today.start].mean()] * (today.stop - today.start)
'''


def test_a_steady_bias_is_one_alarm_after_another_and_noise_is_none() -> None:
    noise = np.random.default_rng(0).normal(0, 0.1, 300)
    assert triggers.alarms(noise) == []
    steady = triggers.alarms(noise + 0.4)
    assert len(steady) > 30
    assert steady[0] <= 5


def test_what_is_drawn_has_nothing_to_learn_and_keeps_its_blocks() -> None:
    bias = np.arange(100.0)
    drawn = triggers.drawn(bias, 7, np.random.default_rng(0))
    assert len(drawn) == 100
    steps = np.diff(drawn)
    assert (steps == 1).sum() >= 100 - 100 // 7 - 2


def test_a_champion_goes_back_on_the_first_morning_that_is_sure() -> None:
    day = np.arange(14).repeat(50)
    noise = np.random.default_rng(0).normal(0, 0.01, 14)[day]
    assert nulls.goes_back_on(noise + 0.1, day) == 3
    assert nulls.goes_back_on(noise, day) is None
    assert nulls.goes_back_on(noise - 0.1, day) is None


def test_the_page_has_every_policy_gate_and_null() -> None:
    results: dict[str, Any] = json.loads((ROOT / "docs" / "decisions.json").read_text())
    text = page.page(results)
    assert text == (ROOT / "docs" / "decisions.md").read_text()
    for part in ("policies", "experiment"):
        names = results[part] if part == "policies" else results[part]["nulls"]
        assert all(f"| {name} |" in text for name in names)


def test_what_a_policy_gains_is_drawn_up_to_the_years_difference() -> None:
    day = np.array([59, 59, 60])
    better, worse = Played(np.array([0.1, 0.2, 0.3]), day), Played(np.array([0.4, 0.2, 0.6]), day)
    days, gained = plot.gain_over(better, worse)
    assert days.tolist() == [59, 60]
    np.testing.assert_allclose(gained, [0.1, worse.log_loss - better.log_loss])


def test_a_coin_for_each_day_keeps_a_days_flights_together() -> None:
    flights = 20
    year: Any = SimpleNamespace(
        table=pd.DataFrame({"carrier": "UA", "flight": np.arange(flights * 60)}),
        day=np.arange(60).repeat(flights),
        between=lambda first, end: slice(0, 7 * flights),
        losses=lambda model, where: np.full(7 * flights, model),
    )
    pairs = [nulls.Pair(LIVE, 1.0, 0.0)]  # type: ignore[arg-type]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(nulls, "real_pairs", lambda _: pairs)
        patch.setattr(nulls, "SAMPLES", 1)
        ((excess, day),) = nulls.draws(year, "day", 7, np.random.default_rng(0))
    assert set(np.abs(excess)) == {1.0}
    assert all(len(set(excess[day == each])) == 1 for each in range(7))
    assert len(set(excess)) == 2


@pytest.mark.full
@pytest.mark.slow
def test_a_policy_of_ones_own_is_played_with_one_command(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(POLICY)
    command = [sys.executable, "-m", "benchmarks.replica", str(tmp_path / "mine.py")]
    environment = os.environ | {"STAGE": str(tmp_path), "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    played = json.loads(done.stdout)
    assert 0.55 < played["log_loss"] < 0.57  # about the constant of the year
    assert played["t"] > 5
