"""Does production itself start a better model, within bounds?"""

from .acts import Played
from .probing import Finding, absent, holds, present, probe
from .registry import decisions

MOST_RUNS = 2  # in eight days of one and the same trouble


@probe("RET-01")
def metrics_start_training(played: Played) -> Finding:
    """While the world turned, a training was started by what was measured, and its model came to serve."""
    trouble = played.trouble
    says = (
        f"{len(trouble.said)} days of trouble without schedule, code or people: {_runs(played)}; "
        f"{trouble.before} before, {trouble.after} after"
    )
    return holds(bool(trouble.triggered) and trouble.after != trouble.before, says, says)


def _runs(played: Played) -> str:
    named = [f"{run['tags']['trigger']} {run['run_id'][:8]}" for run in played.trouble.triggered]
    return f"{len(named)} trainings by a measure{': ' + ', '.join(named) if named else ''}"


@probe("RET-02")
def new_data_starts_training(played: Played) -> Finding:
    """Some training was started because enough new labelled data had come."""
    runs = [run for run in played.scene.runs() if run["tags"].get("trigger") == "new_data"]
    return holds(
        bool(runs),
        f"run {runs[0]['run_id'] if runs else ''} by new_data",
        f"{len(played.scene.runs())} runs, none by new_data",
    )


@probe("RET-03")
def guards_hold(played: Played) -> Finding:
    """Trouble that goes on starts few trainings, and none finishes on data that breaks the schema."""
    trouble = played.trouble
    if not trouble.triggered:
        return absent("nothing starts trainings by itself, so nothing holds them back")
    says = f"{_runs(played)} in {len(trouble.said)} days; {trouble.runs_on_broken} finished on a broken schema"
    return holds(len(trouble.triggered) <= MOST_RUNS and trouble.runs_on_broken == 0, says, says)


@probe("RET-04")
def people_are_asked(played: Played) -> Finding:
    """A file for people is there after trainings have failed."""
    found = [path for path in played.scene.files() if path.suffix == ".md" and "issue" in str(path).lower()]
    named = ", ".join(played.scene.short(path) for path in found)
    return holds(bool(found), f"{named}", "no issue is written for people")


@probe("RET-05")
def one_id(played: Played) -> Finding:
    """An id that is on a triggered run is also on what was decided about its version."""
    for run in played.trouble.triggered:
        ids = {value for value in run["tags"].values() if len(value) >= 8 and value != run["run_id"]}
        for value in ids:
            if sum(value in text for text in decisions(played.scene)) >= 2 and any(
                value in alarm for alarm in played.trouble.alarms
            ):
                return present(f"{value} is on an alarm, a run and a release")
    return absent("no id leads from an alarm to a release")
