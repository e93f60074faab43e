"""Are models numbered and kept, does the registry alone say what serves, and by which policy?"""

import hashlib
import json
import re

from ..scenario.context import Context
from ..scenario.scenario import Scenario
from .probe import Finding, absent, holds, manual, present, probe

DIGEST = re.compile(r"\b[0-9a-f]{12,64}\b")


@probe("REG-01")
def models_are_versioned(scenario: Scenario) -> Finding:
    """Versions name code and data, and the first model's files are all still there after the second."""
    versions, lost = scenario.context.tracking.versions(), scenario.second_model.lost
    named = [number for number, tags in versions.items() if tags.get("commit") and tags.get("snapshot")]
    seen = (
        f"{len(named)} of {len(versions)} versions name commit and data; files of the first model "
        f"lost: {', '.join(lost) or 'none'}"
    )
    return holds(len(named) >= 2 and not lost, seen, seen)


@probe("REG-03")
def registry_decides(scenario: Scenario) -> Finding:
    """What serves is what the registry's alias names; who moved it, and is an uncertified version ignored?"""
    aliases, swap = scenario.context.tracking.aliases(), scenario.second_model
    champion = aliases.get("champion")
    if champion is None:
        return absent("no registry says what serves: the file that lies there does")
    seen = (
        f"the alias names version {champion}; the second model came "
        f"{'by itself' if swap.by_itself else 'by people'}"
    )
    if not swap.by_itself:
        return manual(seen)
    return holds(
        not scenario.uncertified.served,
        f"{seen}; an uncertified version was refused",
        f"{seen}, but an uncertified one serves",
    )


@probe("REG-04")
def policy_is_cited(scenario: Scenario) -> Finding:
    """Some decision on record cites the hash of a file in which the level keeps its rules."""
    context = scenario.context
    hashes: dict[str, str] = {}
    for path in sorted(context.source.glob("*.y*ml")):
        content = path.read_bytes()
        hashes |= {hashlib.sha256(content).hexdigest(): path.name, hashlib.md5(content).hexdigest(): path.name}  # noqa: S324
    for text in decisions(context):
        for cited in DIGEST.findall(text):
            for digest, name in hashes.items():
                if digest.startswith(cited):
                    return present(f"a decision cites {cited[:12]}, the hash of {name}")
    return absent(f"{len(decisions(context))} decisions on record cite no file with rules")


def decisions(context: Context) -> list[str]:
    """Return what is on record about versions: tags, certificates, tags of runs."""
    found = [json.dumps(tags) for tags in context.tracking.versions().values()]
    found += [json.dumps(run["tags"]) for run in context.tracking.runs()]
    return found + [
        text
        for tags in context.tracking.versions().values()
        if (text := context.tracking.artifact(tags["run_id"], "certificate.json"))
    ]
