"""The reports that people look at: one a day, each as cheap as the first."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from ...config.problem import NAME, OUTCOME
from ...data.features import CATEGORICAL
from ...monitoring.dates import before
from ..conftest import make_instances

pytestmark = pytest.mark.slow  # seconds of imports


def answered(first: str, days: int = 1) -> pd.DataFrame:
    """Return instances that landed, with predictions."""
    table = make_instances(days, first=first).dropna(subset=OUTCOME)
    return table.assign(«prediction»=np.linspace(0.01, 0.99, len(table)))


def test_a_report_a_day_and_none_of_those_before_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from evidently.ui.service.storage.local.base import LocalState

    from ...monitoring import reports as module
    from ...monitoring.reports import NUMBERS, PANELS, add_report

    sample = answered("2013-03-01", days=3)
    monkeypatch.setattr(LocalState, "reload_snapshot", lambda *_, **__: pytest.fail("an earlier report was read"))
    for day in ("2013-03-04", "2013-03-05", "2013-03-06"):
        add_report(tmp_path, day, f"{NAME}/1@0123456789ab", answered(day), sample)
        monkeypatch.setattr(
            module, "Workspace", None
        )  # to open one reads all reports in it: only the first day may
    (project,) = (path for path in tmp_path.iterdir() if path.is_dir())
    reports = [json.loads(path.read_text()) for path in (project / "snapshots").glob("*.json")]
    assert sorted(report["timestamp"][:10] for report in reports) == ["2013-03-04", "2013-03-05", "2013-03-06"]
    assert {report["metadata"]["model"] for report in reports} == {f"{NAME}/1@0123456789ab"}
    assert all(title in (project / "dashboard.json").read_text() for title in PANELS)
    for report in reports:
        names = {result["display_name"] for result in report["metric_results"].values()}
        assert all(
            any(column in name and "drift" in name for name in names) for column in [*NUMBERS, *CATEGORICAL]
        )


def test_a_report_is_replaced_by_the_same_day_and_goes_after_ninety(tmp_path: Path) -> None:
    from ...monitoring.reports import DAYS_KEPT, add_report

    sample, day = answered("2013-03-01", days=3), answered("2013-03-04")
    for number in (0, 0, 1, 2, DAYS_KEPT + 1):  # the day before the last was not reported
        reported = before("2013-03-04", -number)
        add_report(tmp_path, reported, f"{NAME}/1@0123456789ab", day, sample)
    days = [json.loads(path.read_text())["timestamp"][:10] for path in tmp_path.glob("*/snapshots/*.json")]
    assert sorted(days) == ["2013-03-06", before("2013-03-04", -DAYS_KEPT - 1)]


def test_the_drift_that_a_report_shows_is_what_is_stored(tmp_path: Path) -> None:
    from ...monitoring.reports import add_report

    sample, day = answered("2013-03-01", days=3), answered("2013-03-04")
    usual = add_report(tmp_path, "2013-03-04", f"{NAME}/1@0123456789ab", day, sample)
    label = day.assign(«prediction»=0.95 + day["«prediction»"] / 100)
    unusual = add_report(tmp_path, "2013-03-05", f"{NAME}/1@0123456789ab", label, sample)
    assert usual["prediction_drift"] < 0.1
    assert unusual["prediction_drift"] > 0.25
    assert usual["drifted_columns"] < unusual["drifted_columns"]


def test_the_page_has_the_address_that_a_stage_shows(tmp_path: Path) -> None:
    from ...monitoring.reports import PROJECT_ID, add_report

    sample, day = answered("2013-03-01", days=3), answered("2013-03-04")
    add_report(tmp_path, "2013-03-04", f"{NAME}/1@0123456789ab", day, sample)
    assert (tmp_path / str(PROJECT_ID) / "dashboard.json").exists()
    description = Path(__file__).parents[2] / "stage.yaml"
    assert f"/projects/{PROJECT_ID}" in description.read_text()
