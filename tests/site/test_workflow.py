"""The workflow that publishes the site: what may write runs nothing of the repository."""

import yaml

from shared.base import ROOT


def test_only_the_job_that_publishes_may_write_and_it_runs_no_code_of_ours() -> None:
    workflow = yaml.safe_load((ROOT / ".github/workflows/docs.yml").read_text())
    assert workflow["permissions"] == {"contents": "read"}
    writing = {name: job for name, job in workflow["jobs"].items() if "permissions" in job}
    assert {name: job["permissions"] for name, job in writing.items()} == {
        "publish": {"pages": "write", "id-token": "write"}
    }
    assert [step["uses"].partition("@")[0] for step in writing["publish"]["steps"]] == ["actions/deploy-pages"]


def test_what_make_docs_builds_is_what_is_published() -> None:
    workflow = yaml.safe_load((ROOT / ".github/workflows/docs.yml").read_text())
    steps = workflow["jobs"]["build"]["steps"]
    assert "make docs" in [step.get("run") for step in steps]
    assert steps[-1]["with"]["path"] == ".stage/site"
