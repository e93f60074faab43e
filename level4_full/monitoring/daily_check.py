"""The daily watch: measure, decide, act. It reads what production wrote, and is never in the way of an answer."""

import asyncio
from dataclasses import replace
from typing import Any

from prefect import flow

from ..config import paths
from ..config.policy import policy_hash, read_policy
from ..delivery import promotion
from ..registry import models
from . import guards, issues, retraining, store
from .dates import before
from .decide import Seen, decide
from .observe import DAYS_BACK, answered, look, measure, report
from .triggers import Reason


def watch(day: str, due: bool) -> str:
    """Look at what has landed until the morning of `day`, and do what the policy says; return it in words.

    Args:
        day: today, such as 2013-03-01.
        due: whether the schedule has a training today.
    """
    return asyncio.run(watching(day, due)) if models.champion() else "nothing serves yet"


@flow(name="watching", flow_run_name="{day}")
async def watching(day: str, due: bool) -> str:
    """Measure, decide and act, as a flow that people find beside the trainings.

    Nothing in it is asynchronous; but at the end of any other flow Prefect waits up to a second for its heartbeat.
    """
    champion = models.champion()
    assert champion is not None  # noqa: S101 - nothing takes the last champion away
    policy = read_policy()
    yesterday = before(day, 1)
    known = answered(before(day, max(DAYS_BACK, policy["rollback"]["days"])), yesterday)
    unmeasured = measure(champion, known, yesterday)
    troubles = [f"; the feed cannot be measured, {unmeasured}"] if unmeasured else []
    try:
        report(champion, known, yesterday)
    except Exception as error:  # what people look at must not keep the machine from acting
        troubles.append(f"; the report failed, {type(error).__name__}: {error}")
    seen = replace(look(champion, known, day, due, policy), unmeasured=unmeasured)
    decision = decide(seen, policy)
    done = decision if isinstance(decision, str) else act(day, *decision)
    return f"{in_short(seen)}{done}{''.join(troubles)}"


def in_short(seen: Seen) -> str:
    """Say how the champion did lately."""
    week = seen.window.tail(DAYS_BACK)
    if "log_loss" not in week:
        return ""
    return f"log loss {week['log_loss'].mean():.3f} and bias {week['bias'].mean():+.3f} over {len(week)} days, "


def act(day: str, decision: str, reason: Reason) -> str:
    """Write a decision down, do it, and write down what came of it."""
    row: dict[str, Any] = {
        "id": f"{day}-{reason.cause.replace(' ', '-')}",
        "day": day,
        "decision": decision,
        "cause": reason.cause,
        "policy": policy_hash(),
        "evidence": reason.evidence,
    }
    with store.open_store(paths.METRICS_STORE) as connection:
        taken = store.decisions(connection)
        store.decide(connection, row)
    if decision == guards.RETRAIN:
        return f"ALARM {reason}: {retraining.ask(row['id'], reason.cause, reason.evidence)}"
    if decision == guards.HOLD:
        try:
            path = issues.write(paths.ISSUES, row, reason.seen, taken)
        except OSError as error:  # held all the same, and `resume` ends it
            return f"HOLD {reason}: no training until people have looked; no issue could be written, {error}"
        return f"HOLD {reason}: no training until people have looked at {path.name}"
    result = resume(str(reason)) if decision == guards.RESUME else promotion.rollback(str(reason))
    with store.open_store(paths.METRICS_STORE) as connection:
        store.conclude(connection, row["id"], result)
    return f"{'RESUMED' if decision == guards.RESUME else 'ROLLBACK'} {result}"


def resume(why: str) -> str:
    """End every open issue: models learn again from what comes in."""
    with store.open_store(paths.METRICS_STORE) as connection:
        held = guards.open_holds(store.decisions(connection))
        for each in held:
            store.conclude(connection, each["id"], f"ended: {why}")
    for each in held:
        (paths.ISSUES / f"{each['id']}.md").unlink(missing_ok=True)
    return f"{len(held)} issues ended" if held else "no issue is open"
