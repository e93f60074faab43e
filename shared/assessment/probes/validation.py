"""Is a candidate refused for what is wrong with it, before anybody is answered by it?"""

import json
from pathlib import Path

from ..scenario.context import Context
from ..scenario.scenario import Scenario
from ..scenario.uncertified_model import answers
from .probe import Finding, absent, holds, manual, probe
from .release import certificate_served, digest_served
from .tests import refused

CLOSE = 1e-6  # in probability


@probe("VAL-01")
def bad_candidate(scenario: Scenario) -> Finding:
    """A candidate that was trained on flipped labels is refused; or a person at least sees both figures."""
    found = refused(scenario, "bad", "bad", "not_worse_than_champion", "a model of flipped labels")
    return (
        found
        if found.answer == "PRESENT"
        else _or_by_a_person(scenario, "bad", found, ("overall", "candidate", "champion"))
    )


@probe("VAL-02")
def bad_slice(scenario: Scenario) -> Finding:
    """A candidate that is bad at one airport only is refused; or a person at least sees it."""
    found = refused(scenario, "local", "local", "origin JFK", "a model that is bad at one airport")
    return (
        found
        if found.answer == "PRESENT"
        else _or_by_a_person(scenario, "local", found, ("slices", "origin", "JFK", "champion"))
    )


def _or_by_a_person(scenario: Scenario, defect: str, found: Finding, words: tuple[str, ...]) -> Finding:
    """Tell whether the candidate's run holds a comparison that a person can decide by."""
    outcome, context = scenario.defects.get(defect), scenario.context
    if outcome and outcome.version:
        run = context.tracking.versions()[outcome.version]["run_id"]
        report = context.tracking.artifact(run, "report.json")
        if all(f'"{word}"' in report for word in words):
            return manual(
                f"version {outcome.version} is registered all the same; its report.json compares "
                f"{', '.join(words)}, and a person decides"
            )
    return found


@probe("VAL-04")
def cannot_load(scenario: Scenario) -> Finding:
    """A candidate that needs what no serving environment has is refused."""
    if scenario.damaged:
        return absent(scenario.damaged)
    return refused(scenario, "broken", "broken", "a.package.nobody.installed", "a model that cannot load")


@probe("VAL-05")
def golden_requests(scenario: Scenario) -> Finding:
    """Ask the staged service the golden requests of its package again, and compare."""
    context = scenario.context
    for path in context.files():
        if path.suffix == ".json" and "golden" in path.parts[-1] + path.read_text(errors="replace")[:5_000_000]:
            found = _golden(context, path)
            if found:
                return found
    return absent("no golden requests are kept anywhere")


def _golden(context: Context, path: Path) -> Finding | None:
    """Send one package's golden requests to staging, if that package is staged."""
    try:
        golden = json.loads(path.read_text())["golden"]
    except (ValueError, KeyError, TypeError):
        return None
    port = "STAGING_PORT"
    staged = digest_served(context, port)
    if not staged or not path.parent.name.startswith(staged):  # a package's folder is named by its digest
        return None
    given = answers(context, [request["flight"] for request in golden], port)
    largest = max(abs(a["late_probability"] - b["late_probability"]) for a, b in zip(given, golden, strict=True))
    return holds(
        largest <= CLOSE,
        f"{len(golden)} golden requests on staging, largest difference {largest:.1e}",
        f"staging is off by {largest:.1e}",
    )


@probe("VAL-06")
def too_slow(scenario: Scenario) -> Finding:
    """A candidate that multiplies large matrices for nothing is refused."""
    return refused(scenario, "local", "slow", "fast_enough", "a slow model")


@probe("VAL-07")
def certificate_ties_all(scenario: Scenario) -> Finding:
    """What serves has a sealed certificate about its digest; without one, production refuses."""
    number, text = certificate_served(scenario.context)
    if not text:
        return absent("nothing that serves has a certificate")
    seal = scenario.context.seal_of(text)
    sealed = seal in scenario.context.tracking.versions()[number].values()
    where = "sealed in the registry" if sealed else "not sealed"
    seen = f"version {number}: certificate {seal[:12]} about {digest_served(scenario.context)}, {where}"
    return holds(
        sealed and not scenario.uncertified.served,
        f"{seen}; without one: {scenario.uncertified.problem[:120]}",
        f"{seen}; without one a model serves",
    )
