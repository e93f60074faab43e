"""The model card of a release: written from the registry, so that its figures are the registry's."""

import json
from pathlib import Path

from mlflow import MlflowClient
from mlflow.artifacts import load_dict

from ..registry import models

TEXT = """# {name}, version {version}

Says how likely a flight from New York's three airports is to arrive 15 minutes late or more, an hour or more
before it departs. Made for showing how models are run, not for deciding about people, connections or crews.

|  |  |
|---|---|
| trained because | {trigger}{alarm} |
| learned from | snapshot {snapshot}, {commit} |
| package | {digest} |
| certified under policy | {policy} |
| log loss on {holdout_days} days held out | {log_loss:.4f} |
| AUC on the same days | {auc:.4f} |
| log loss on what it learned from | {train_log_loss:.4f} |

{history}

| gate | found |
|---|---|
{gates}

Log loss by slice, on the same days:

| slice | this model | the champion before |
|---|---|---|
{slices}

Weather that nobody has seen yet, new destinations and storms are where it is wrong most: it knows the weather
at the origin an hour before departure, and nothing about the aircraft, the weather elsewhere or other traffic.
"""


def write(version: str, folder: Path) -> Path:
    """Write the card of a certified version into `folder` and beside its model; return its path."""
    found = models.version(version)
    run = MlflowClient().get_run(found.run_id).data
    certificate = json.loads((folder / "certificate.json").read_text())
    report = load_dict(f"runs:/{found.run_id}/report.json")
    previous = run.tags.get("previous_model")
    alarm = found.tags.get("alarm")
    text = TEXT.format(
        name=models.MODEL,
        version=version,
        trigger=run.tags["trigger"],
        alarm=f", alarm {alarm}" if alarm else "",
        snapshot=found.tags["snapshot"],
        commit=f"commit {found.tags['commit']}",
        digest=certificate["digest"],
        policy=certificate["policy"],
        holdout_days=run.params["holdout_days"],
        log_loss=run.metrics["holdout_log_loss"],
        auc=run.metrics["holdout_auc"],
        train_log_loss=run.metrics["train_log_loss"],
        history=f"It was judged beside version {previous}." if previous else "Nothing served before it.",
        gates="\n".join(f"| {name} | {each['says']} |" for name, each in certificate["gates"].items()),
        slices="\n".join(_slices(report["slices"])),
    )
    path = folder / "MODEL_CARD.md"
    path.write_text(text)
    MlflowClient().log_artifact(found.run_id, str(path))
    return path


def _slices(cuts: dict[str, dict[str, dict[str, float]]]) -> list[str]:
    return [
        f"| {cut} {value} | {losses['candidate']:.4f} | {losses['champion']:.4f} |"
        if "champion" in losses
        else f"| {cut} {value} | {losses['candidate']:.4f} | |"
        for cut, values in cuts.items()
        for value, losses in values.items()
    ]
