"""Is each feature allowed, of use, tested, easy to add and kept in a store, and is the environment held?"""

import io
import json
import re
from pathlib import Path

import pandas as pd

from ...base import ROOT
from ..scenario.context import Context
from ..scenario.new_feature import BANNED, NOISE, REAL
from ..scenario.scenario import Scenario
from .data import sources
from .probe import Finding, absent, holds, manual, present, probe
from .tests import notices
from .training import trainings

STORE = ("get_historical_features", "get_online_features")  # as Feast names them
COMPUTED_IN_TIME = re.compile(r"materiali[sz]|feature.?store", re.IGNORECASE)
MISMATCH = "scikit_learn-0.0.1"


@probe("DAT-07")
def a_store_answers(scenario: Scenario) -> Finding:
    """A module gives the features of a flight for trainings and for the service, and both are the same."""
    context = scenario.context
    defined: dict[str, str] = {}
    for name, code in sources(context):
        defined |= {function: name for function in STORE if f"def {function}(" in code and name.endswith(".py")}
    if len(defined) < len(STORE):
        return absent(f"no module answers with the features of a moment: {len(defined)} of 2 such functions")
    modules = [defined[function].removesuffix(".py").replace("/", ".") for function in STORE]
    flight = context.year.flights_of(scenario.days[-1].day).head(1).to_json(orient="records", date_format="iso")
    script = (
        f"import json, {modules[0]} as past, {modules[1]} as now\nflights = json.loads({flight!r})\n"
        f"print(past.{STORE[0]}(flights) == now.{STORE[1]}(flights))"
    )
    done = context.command("python", "-c", script)
    same = done.stdout.strip().endswith("True")
    seen = f"{' and '.join(defined.values())} were asked about a flight"
    return holds(same, f"{seen}, and said the same", f"{seen}, and did not say the same")


@probe("DAT-08")
def a_late_store_is_noticed(scenario: Scenario) -> Finding:
    """An event of a daily run is about features that are computed into a store."""
    days = [day.events for day in scenario.days]
    about = [
        event for events in days for event in events if COMPUTED_IN_TIME.search(f"{event.kind} {event.facts}")
    ]
    return holds(
        bool(about),
        f"{len(about)} events, such as {about[0].text if about else ''}",
        f"in {len(days)} days no event was about features that had to be computed into a store",
    )


@probe("DAT-09")
def rules_are_enforced(scenario: Scenario) -> Finding:
    """A banned feature stops a training, and who asked to be deleted is in no newer snapshot and in no log."""
    context, tried = scenario.context, scenario.new_feature
    if not re.search(rf"\bfrom {BANNED}\b", tried.banned):
        return absent(f"a feature from {BANNED!r}, which names somebody, stopped nothing: {tried.banned[:120]}")
    carrier, number = tried.who
    named = [run["tags"].get("snapshot", "") for run in trainings(context)]
    rows = [_rows_about(context, snapshot, carrier, number) for snapshot in (named[0], named[-1])]
    seen = (
        f"{tried.banned[:120]}; {carrier} {number} asked to be deleted: {rows[0]} rows in the first snapshot and "
        f"{rows[1]} in the newest, in {len(tried.named[0])} logs before and {len(tried.named[1])} after"
    )
    return holds(bool(tried.deleted) and rows[0] > 0 == rows[1] and not tried.named[1], seen, seen)


def _rows_about(context: Context, md5: str, carrier: str, number: int) -> int:
    """Return how many rows of a kept table are about a flight number."""
    (kept,) = [path for path in context.files() if f"{path.parent.name}{path.name}" == md5][:1]
    table = pd.read_parquet(io.BytesIO(kept.read_bytes()))
    return int(((table["carrier"] == carrier) & (table["flight"] == number)).sum())


@probe("DAT-10")
def features_are_weighed(scenario: Scenario) -> Finding:
    """A training's report has what each feature saves and costs; noise is named useless, a real one is not."""
    context = scenario.context
    reports = [
        json.loads(context.tracking.artifact(run["run_id"], "features.json") or "{}") for run in trainings(context)
    ]
    weighed: dict[str, dict[str, float]] = next((report for report in reversed(reports) if NOISE in report), {})
    if not weighed:
        return absent(f"{len(reports)} trainings, none says what a planted noise is worth")
    useless = [name for name, facts in weighed.items() if facts["useless"]]
    whole = all(facts["milliseconds_per_1000"] > 0 for facts in weighed.values())
    facts = weighed[REAL]
    seen = (
        f"{REAL} saves {facts['mean']:.4f} of log loss and costs {facts['milliseconds_per_1000']} ms "
        f"per 1,000 rows; useless: {', '.join(useless)}"
    )
    return holds(NOISE in useless and REAL not in useless and whole, seen, seen)


@probe("DAT-11")
def features_are_tested(scenario: Scenario) -> Finding:
    """Unit tests of features notice a minute of the day that is off by one where models are trained."""
    return notices(scenario.mutants, "a minute of the day off by one")


@probe("DAT-12")
def a_feature_is_added(scenario: Scenario) -> Finding:
    """A feature in a commit touches two files at most and a test, and gets into production through all gates."""
    tried, seconds = scenario.new_feature, scenario.seconds.get("new_feature", 0)
    if len(tried.places) != 1:
        return absent(f"a feature is computed {len(tried.places)} times: {', '.join(tried.places)}")
    code = [name for name in tried.touched if not name.startswith("tests/")]
    seen = (
        f"{len(tried.touched)} files ({', '.join(tried.touched)}), {seconds:.0f} s; tests: {tried.tests}; "
        f"released as {tried.released or 'nothing'}; {tried.message[:160]}"
    )
    if len(code) > 2 or len(code) == len(tried.touched) or not tried.serves:
        return absent(seen)
    return present(seen) if tried.by_itself else manual(f"{seen}; people released version {tried.version}")


@probe("TRN-03")
def environment_is_held(scenario: Scenario) -> Finding:
    """Where a package has another version than the lock's, a training does not start, and says which."""
    context = scenario.context
    folder = context.workspace / "assess" / "packages"
    _pretend(folder / f"{MISMATCH}.dist-info")
    command = f"PYTHONPATH={folder}:{ROOT} python -m {context.stage.package} train"
    done = context.command("bash", "-c", command)
    name, _, version = MISMATCH.replace("_", "-").rpartition("-")
    said = (re.findall(r".*\w.*", done.stderr) or ["nothing"])[-1]  # not the frame around a message
    named = done.returncode != 0 and name in said and version in said
    return holds(named, f"refused: {said[:200]}", f"with {name} {version} in front: {said[:160]}")


def _pretend(folder: Path) -> None:
    """Make a package look installed in a version that it is not."""
    folder.mkdir(parents=True, exist_ok=True)
    name, _, version = MISMATCH.partition("-")
    (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
