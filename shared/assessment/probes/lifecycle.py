"""Do versions keep to a life cycle, and does anybody hear of it?"""

from ..scenario.scenario import Scenario
from .probe import Finding, absent, holds, probe

HISTORY = "history."  # of a tag of a version that holds a transition: what follows is the time


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
