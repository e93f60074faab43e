"""Do versions keep to a life cycle, and does anybody hear of it?"""

from contextlib import suppress

from ...base import StageError
from ..scenario.context import Context
from ..scenario.scenario import Scenario
from .probe import Finding, absent, holds, present, probe

HISTORY = "history."  # of a tag of a version that holds a transition: what follows is the time
ENDED = [f"prefect.flow-run.{state}" for state in ("Completed", "Failed", "Crashed")]
SECONDS_TO_HEAR = 20.0


@probe("REG-02")
def moves_keep_to_the_life_cycle(scenario: Scenario) -> Finding:
    """Release a refused version, past the delivery: it does not happen, and the registry stays as it was."""
    context, version = scenario.context, scenario.defects["bad"].version
    if not version:
        return absent("a model is a file, which is in no state")
    before = context.tracking.aliases(), context.tracking.versions()
    why = context.stage.lend("shared.assessment.scenario.illegal_move", context.stage.package, version).strip()
    after = context.tracking.aliases(), context.tracking.versions()
    for alias, number in before[0].items():
        if after[0].get(alias) != number:
            context.tracking.set_alias(alias, number)
    state = [value for name, value in sorted(before[1][version].items()) if name.startswith(HISTORY)]
    seen = f"version {version}, {state[-1][:60] if state else 'in no state'}: {why or 'was released'}"
    return holds(bool(state and why) and before == after, seen, f"{seen}, and the registry has changed")


@probe("REG-05")
def what_happens_is_told(scenario: Scenario) -> Finding:
    """Ask the orchestrator how trainings ended; where a process keeps subscribers, be one, and miss nothing."""
    context = scenario.context
    flows = {flow["id"] for flow in context.pipeline("flows") if flow["name"] == "training"}
    trainings = {run["id"] for run in context.pipeline("flow_runs") if run["flow_id"] in flows}
    if not trainings:
        return absent("no event tells of a training: nothing runs trainings but people")
    with suppress(StageError):  # the server keeps events some seconds after they came
        context.wait_for("events of trainings", lambda: trainings <= _told(context, trainings), SECONDS_TO_HEAR)
    untold = trainings - _told(context, trainings)
    seen = f"the orchestrator's events tell how {len(trainings)} trainings ended"
    if untold:
        return absent(f"no event tells how {len(untold)} of {len(trainings)} trainings ended")
    if not (context.workspace / "logs" / "subscribers.log").exists():
        return present(seen)
    with suppress(StageError):
        context.wait_for("the registry's history", lambda: not _missed(context), SECONDS_TO_HEAR)
    missed = _missed(context)
    heard = (
        f"{seen}; a webhook got {len(context.heard)} CloudEvents: the registry's whole history, in order and once"
    )
    return holds(not missed, heard, f"{seen}; what a webhook got is not the registry's history: {missed}")


def _told(context: Context, runs: set[str]) -> set[str]:
    """Return the flow runs whose end the orchestrator's feed of events tells of."""
    of_runs = {"event": {"name": ENDED}, "resource": {"id": [f"prefect.flow-run.{run}" for run in runs]}}
    events = context.pipeline("events", filter=of_runs, limit=50)
    return {event["resource"]["prefect.resource.id"].rpartition(".")[2] for event in events}


def _missed(context: Context) -> str:
    """Return how what the subscriber heard differs from the registry's history; empty if it does not."""
    heard = [event for event in context.heard if ".model." in event["type"]]
    for number, tags in context.tracking.versions().items():
        moments = sorted(f"{name.removeprefix(HISTORY)}Z" for name in tags if name.startswith(HISTORY))
        told = [event["time"] for event in heard if event["subject"] == number]
        if told[1:] != moments:  # the first is its registration
            return f"of version {number}, {len(told)} events, and {1 + len(moments)} happened"
    ids = [event["id"] for event in context.heard]
    return "" if len(set(ids)) == len(ids) else "some came more than once"
