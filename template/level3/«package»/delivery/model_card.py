"""The model card of a release, written from the registry, so that its figures are those of the registry."""

import json
from pathlib import Path

from mlflow.artifacts import load_dict

from ..config.files import write_text
from ..config.problem import NAME
from ..registry import models

TEXT = """# {name}, version {version}

Predicts «target». What it may be used for, and what not: to be written by the people who answer for it.

|  |  |
|---|---|
| trained because | {trigger}{alarm} |
| trained on | snapshot {snapshot}, {commit} |
| package | {digest} |{policy}
| loss on {holdout_days} held-out days | {«loss»:.4f} |
«% if kind == "binary" %»
| AUC on the same days | {auc:.4f} |
«% else %»
| R2 on the same days | {auc:.4f} |
«% endif %»
| loss on the training data | {train_«loss»:.4f} |

{history}

| gate | finding |
|---|---|
{gates}

Loss by slice, on the same days:

| slice | this model | champion |
|---|---|---|
{slices}
"""


def write(version: str, folder: Path) -> Path:
    """Write the card of a certified version into `folder` and beside its model; return its path."""
    registered = models.version(version)
    run = models.training_of(registered)
    certificate = json.loads((folder / "certificate.json").read_text())
    report = load_dict(f"runs:/{registered.run_id}/report.json")
    previous = run.tags.get("previous_model")
    alarm, policy = registered.tags.get("alarm"), certificate.get("policy")
    text = TEXT.format(
        name=NAME,
        version=version,
        trigger=run.tags["trigger"],
        alarm=f", alarm {alarm}" if alarm else "",
        snapshot=registered.tags["snapshot"],
        commit=f"commit {registered.tags['commit']}",
        digest=certificate["digest"],
        policy=f"\n| certified under policy | {policy} |" if policy else "",
        holdout_days=run.params["holdout_days"],
        «loss»=run.metrics["holdout_«loss»"],
        auc=run.metrics["holdout_«second»"],
        train_«loss»=run.metrics["train_«loss»"],
        history=f"It was compared with version {previous}." if previous else "There was no champion before it.",
        gates="\n".join(f"| {name} | {finding['reason']} |" for name, finding in certificate["gates"].items()),
        slices="\n".join(_slices(report["slices"])),
    )
    path = folder / "MODEL_CARD.md"
    write_text(path, text)
    models.keep(registered, path)
    return path


def _slices(columns: dict[str, dict[str, dict[str, float]]]) -> list[str]:
    rows = []
    for column, slices in columns.items():
        for name, losses in slices.items():
            champion = f"{losses['champion']:.4f}" if "champion" in losses else ""
            rows.append(f"| {column} {name} | {losses['candidate']:.4f} | {champion} |")
    return rows
