"""Reports for people: the drift, quality and data quality of every day, with Evidently."""

from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import UUID, uuid5

import pandas as pd
«% if kind == "binary" %»
from evidently import BinaryClassification, DataDefinition, Dataset, Report
from evidently.metrics import DriftedColumnsCount, LogLoss, MissingValueCount, RocAuc, ValueDrift
«% else %»
from evidently import DataDefinition, Dataset, Regression, Report
from evidently.metrics import RMSE, DriftedColumnsCount, MissingValueCount, R2Score, ValueDrift
«% endif %»
from evidently.sdk.models import PanelMetric, ProjectModel
from evidently.sdk.panels import line_plot_panel
from evidently.ui.storage.local.base import LocalState
from evidently.ui.workspace import Workspace

from ..config.problem import DERIVED, NAME, SHOWN
from ..data.features import CATEGORICAL, NUMERIC
from ..training.model import label_of
from .dates import before
from .reference import with_derived

PROJECT_ID = UUID("9e247d24-5925-50f1-8c95-7c5debc2312b")  # its page has the same address in every stage
DAYS_KEPT = 90  # a report takes a megabyte, and what was measured stays in the metrics store
NUMBERS = [*NUMERIC, *DERIVED, "«prediction»"]
PANELS = {
«% if kind == "binary" %»
    "Loss": [PanelMetric(legend="champion", metric="LogLoss")],
    "AUC": [PanelMetric(legend="champion", metric="RocAuc")],
«% else %»
    "Root mean squared error": [PanelMetric(legend="champion", metric="RMSE")],
    "R2": [PanelMetric(legend="champion", metric="R2Score")],
«% endif %»
    "Share of columns that drift": [
        PanelMetric(legend="share", metric="DriftedColumnsCount", metric_labels={"value_type": "share"})
    ],
    "Drift of the predictions (PSI)": [
        PanelMetric(legend="PSI", metric="ValueDrift", metric_labels={"column": "«prediction»"})
    ],
    "Drift of the inputs (PSI)": [
        PanelMetric(legend=name, metric="ValueDrift", metric_labels={"column": name}) for name in SHOWN
    ],
    f"Instances without {SHOWN[0]}": [
        PanelMetric(
            legend="share", metric="MissingValueCount", metric_labels={"column": SHOWN[0], "value_type": "share"}
        )
    ],
}


def add_report(
    workspace: Path, day: str, model: str, instances: pd.DataFrame, sample: pd.DataFrame
) -> dict[str, float]:
    """Add the report of a day to the workspace that Evidently's pages show; return the drift that it measured.

    Args:
        workspace: a folder, made on first use.
        day: the day of the report.
        model: the model that made the predictions.
        instances: the day's instances with `«prediction»` and outcome.
        sample: the same columns, from the training data.

    Returns:
        The share of columns that drift, and the population stability index of the predictions.
    """
    now, then = (with_derived(table).assign(label=label_of(table)) for table in (instances, sample))
    columns = [name for name in [*NUMBERS, *CATEGORICAL] if now[name].notna().any()]
    kinds = DataDefinition(
        numerical_columns=[name for name in NUMBERS if name in columns],
        categorical_columns=CATEGORICAL,
«% if kind == "binary" %»
        classification=[BinaryClassification(target="label", prediction_probas="«prediction»")],
«% else %»
        regression=[Regression(target="label", prediction="«prediction»")],
«% endif %»
    )
    compared = [Dataset.from_pandas(table[[*columns, "label"]], data_definition=kinds) for table in (now, then)]
    # Not DataDriftPreset, which draws every column twice: a report took 1.6 times as long.
    drift = [
        DriftedColumnsCount(columns=columns, num_method="psi", cat_method="psi"),
        *(ValueDrift(column=name, method="psi") for name in columns),
    ]
«% if kind == "binary" %»
    report = Report([LogLoss(), RocAuc(), MissingValueCount(column=SHOWN[0]), *drift], metadata={"model": model})
«% else %»
    report = Report([RMSE(), R2Score(), MissingValueCount(column=SHOWN[0]), *drift], metadata={"model": model})
«% endif %»
    made = report.run(*compared, timestamp=datetime.fromisoformat(day))
    # Not Workspace.add_run: opening one reads every report in it, and a day must cost the same all year.
    project = _project(workspace)
    _file(workspace, project, day).parent.mkdir(exist_ok=True)
    with TemporaryDirectory(dir=workspace) as part:  # half a report would keep all the others from being shown
        LocalState(part).write_snapshot(project, _id(day), made.to_snapshot_model())
        _file(Path(part), project, day).replace(_file(workspace, project, day))
    for age in range(DAYS_KEPT, 2 * DAYS_KEPT):  # one day that was not reported leaves none behind
        _file(workspace, project, before(day, age)).unlink(missing_ok=True)
    measured = {metric["metric_name"]: metric["value"] for metric in made.dict()["metrics"]}
    psi = next(value for name, value in measured.items() if "column=«prediction»," in name)
    drifted = next(value["share"] for name, value in measured.items() if name.startswith("DriftedColumnsCount"))
    return {"prediction_drift": float(psi), "drifted_columns": float(drifted)}


def _file(workspace: Path, project: str, day: str) -> Path:
    return workspace / project / "snapshots" / f"{_id(day)}.json"


def _id(day: str) -> UUID:
    """Return the id of a day's report: a day that is reported again replaces its own."""
    return uuid5(PROJECT_ID, day)


def _project(workspace: Path) -> str:
    """Return the id of the project, which is made on first use: evidently names its folder after it."""
    if (workspace / str(PROJECT_ID) / "dashboard.json").exists():
        return str(PROJECT_ID)
    project = Workspace.create(str(workspace)).add_project(ProjectModel(id=PROJECT_ID, name=NAME))
    for title, metrics in PANELS.items():
        project.dashboard.add_panel(line_plot_panel(title=title, values=metrics, size="half"))
    project.save()
    return str(project.id)
