"""Does data come by itself, is it kept, is it checked, and is each feature computed once?"""

import ast
import hashlib
import json
import re

from ..scenario.context import Context
from ..scenario.scenario import Scenario
from .probe import Finding, absent, holds, manual, present, probe

STATISTICS = re.compile(r"\b(psi|kolmogorov_smirnov|wasserstein|jensen|drift_score|drift)\b", re.IGNORECASE)
A_FEATURE = "minute_of_day"
HASH_TAG = re.compile(r"[0-9a-f]{32,64}")


@probe("DAT-01")
def copied_by_hand(scenario: Scenario) -> Finding:
    """Nothing arrives until people copy it."""
    first_model = scenario.first_model
    by_hand = first_model.collected == 0 and first_model.after_people == 3
    return holds(by_hand, *[_copies(scenario)] * 2)


@probe("DAT-02")
def collected_by_itself(scenario: Scenario) -> Finding:
    """Every published file is somewhere in the stage after the daily run, and nobody did anything."""
    expected, found = 2 * len(scenario.days), sum(day.copies for day in scenario.days)
    if scenario.first_model.collected == 3 and found == expected:
        return present(_copies(scenario))
    return (manual if scenario.first_model.after_people == 3 else absent)(_copies(scenario))


def _copies(scenario: Scenario) -> str:
    first_model, found = scenario.first_model, sum(day.copies for day in scenario.days)
    return (
        f"of 3 published files {first_model.collected} were collected by themselves and "
        f"{first_model.after_people} after people's "
        f"steps; then {found} of {2 * len(scenario.days)} in {len(scenario.days)} days without people"
    )


@probe("DAT-03")
def snapshots_are_kept(scenario: Scenario) -> Finding:
    """A run names a hash that bytes in the stage still have, although the raw file was published anew since."""
    context = scenario.context
    runs = [run for run in context.tracking.runs() if run["status"] == "FINISHED"]
    named = {value for run in runs for value in run["tags"].values() if HASH_TAG.fullmatch(value)}
    for path in context.files():
        if path.stat().st_size > 100_000 and "runs" not in path.parts:  # where a run works, nothing is kept
            content = path.read_bytes()
            for digest in (hashlib.md5(content).hexdigest(), hashlib.sha256(content).hexdigest()):  # noqa: S324 - as DVC does
                if digest in named:
                    return present(
                        f"{len(runs)} runs; {digest[:12]} is the hash of {context.short(path)}, computed again"
                    )
    return absent(f"{len(runs)} runs on record, none names a hash that any kept file has")


@probe("DAT-04")
def schema_stops_training(scenario: Scenario) -> Finding:
    """A day with 5,000 °F stops the training, and the column is named."""
    outcome = scenario.defects["broken data"]
    stopped = not outcome.version and not outcome.served and "temp" in outcome.message
    return holds(
        stopped,
        f"stopped: {outcome.message[:160]}",
        f"5,000 °F went in, and nothing reported it: {outcome.message[:160]}",
    )


@probe("DAT-05")
def change_is_computed(scenario: Scenario) -> Finding:
    """After days in °C somebody can read that temp has changed, from a statistic of its distribution."""
    for path in scenario.context.files():
        if path.suffix in (".json", ".csv", ".jsonl") and "prefect" not in path.parts:
            text = path.read_text(errors="replace")
            if STATISTICS.search(text) and re.search(r"\btemp\b", text):
                return present(f"a statistic of temp in {scenario.context.short(path)}")
    return absent("after days in °C no file of the stage holds a statistic of a feature's distribution")


@probe("DAT-06")
def one_definition(scenario: Scenario) -> Finding:
    """Count the places in which a feature that the model sees is computed."""
    places = definitions(scenario.context)
    return holds(
        len(places) == 1,
        f"{A_FEATURE} is computed in {places[0] if places else 'nothing'} alone",
        f"computed in {', '.join(places)}",
    )


def definitions(context: Context) -> list[str]:
    """Return the modules, cells and written scripts that compute a feature."""
    return [name for name, code in sources(context) if A_FEATURE in _keys(code)]


def sources(context: Context) -> list[tuple[str, str]]:
    """Return the level's code outside of its tests: modules, and a notebook's cells."""
    found = []
    for path in sorted(context.source.rglob("*")):
        if path.suffix == ".py" and "tests" not in path.parts:
            found.append((context.short(path), path.read_text()))
        if path.suffix == ".ipynb":
            cells = [cell for cell in json.loads(path.read_text())["cells"] if cell["cell_type"] == "code"]
            found += [
                (f"{path.name}, cell {n}", _code("".join(cell["source"]))) for n, cell in enumerate(cells, 1)
            ]
    return found


def _code(cell: str) -> str:
    """Return a cell's code, also where the cell writes it to a file."""
    return "\n".join(line for line in cell.splitlines() if not line.startswith("%"))


def _keys(code: str) -> set[str]:
    """Return the names that are given a value in a dictionary or a call."""
    keys: set[str] = set()
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Dict):
            keys |= {
                key.value for key in node.keys if isinstance(key, ast.Constant) and isinstance(key.value, str)
            }
        if isinstance(node, ast.Call):
            keys |= {keyword.arg for keyword in node.keywords if keyword.arg}
    return keys
