"""The page about fanning out is that of its figures, and reckons as it says."""

import json
import os
from typing import Any

os.environ.setdefault("STAGE", "/dev/null")  # modules of the levels ask for it

from benchmarks import fanout
from shared.base import ROOT

FIGURES: dict[str, Any] = {
    "cores": 2,
    "workers": 2,
    "rows": [20_000, 300_000],
    "fit": [1.0, 6.0],
    "sent": [0.1, 0.9],
    "start": 2.0,
    "warm": 4.0,
    "trip": 0.003,
    "several": {"trainings": 8, "rows": 50_000, "here": 16.0, "there": 20.0},
}


def test_the_page_is_that_of_its_figures() -> None:
    results = json.loads((ROOT / "docs" / "fanout.json").read_text())
    assert fanout.page(results) == (ROOT / "docs" / "fanout.md").read_text()


def test_a_cluster_is_made_up_for_by_as_many_trainings_as_save_its_start() -> None:
    """Two workers save half a second of each training of a month, and three of a year's: six seconds in all."""
    text = " ".join(fanout.page(FIGURES).split())
    assert "it is ready after 6.0 s. That is made up for by 12 trainings of a month, or 2 of a year" in text
    assert "it pays from pieces of 6 ms on" in text
    assert "took 1.25 times as long as here" in text


def test_one_training_pays_only_from_rows_whose_half_takes_as_long_as_agreeing() -> None:
    """2,100 splits of 3 ms take 6.3 s, which half a training takes on 2.1 times the rows of 6 s."""
    text = " ".join(fanout.page(FIGURES).split())
    assert (
        "2,100 times. By tasks that takes 6.3 s. As much is saved from 0.6 million flights on, 2.1 times" in text
    )
