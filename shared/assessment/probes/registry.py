"""Are models numbered and kept, does the registry alone say what serves, and by which policy?"""

import hashlib
import json
import re

from ..scenario.context import Scene
from ..scenario.scenario import Played
from .probe import Finding, absent, holds, manual, present, probe

DIGEST = re.compile(r"\b[0-9a-f]{12,64}\b")


@probe("REG-01")
def models_are_versioned(played: Played) -> Finding:
    """Versions name code and data, and the first model's files are all still there after the second."""
    versions, lost = played.scene.versions(), played.successor.lost
    named = [number for number, tags in versions.items() if tags.get("commit") and tags.get("snapshot")]
    says = (
        f"{len(named)} of {len(versions)} versions name commit and data; files of the first model "
        f"lost: {', '.join(lost) or 'none'}"
    )
    return holds(len(named) >= 2 and not lost, says, says)


@probe("REG-03")
def registry_decides(played: Played) -> Finding:
    """What serves is what the registry's alias names; who moved it, and is a planted file ignored?"""
    aliases, swap = played.scene.aliases(), played.successor
    champion = aliases.get("champion")
    if champion is None:
        return absent("no registry says what serves: the file that lies there does")
    says = (
        f"the alias names version {champion}; the second model came "
        f"{'by itself' if swap.by_itself else 'by people'}"
    )
    if not swap.by_itself:
        return manual(says)
    return holds(
        not played.unproven.served,
        f"{says}; an unproven version was refused",
        f"{says}, but an unproven one serves",
    )


@probe("REG-04")
def policy_is_cited(played: Played) -> Finding:
    """Some decision on record cites the hash of a file in which the level keeps its rules."""
    scene = played.scene
    hashes: dict[str, str] = {}
    for path in sorted(scene.source.glob("*.y*ml")):
        content = path.read_bytes()
        hashes |= {hashlib.sha256(content).hexdigest(): path.name, hashlib.md5(content).hexdigest(): path.name}  # noqa: S324
    for text in decisions(scene):
        for cited in DIGEST.findall(text):
            for digest, name in hashes.items():
                if digest.startswith(cited):
                    return present(f"a decision cites {cited[:12]}, the hash of {name}")
    return absent(f"{len(decisions(scene))} decisions on record cite no file with rules")


def decisions(scene: Scene) -> list[str]:
    """Return what is on record about versions: tags, certificates, tags of runs."""
    found = [json.dumps(tags) for tags in scene.versions().values()]
    found += [json.dumps(run["tags"]) for run in scene.runs()]
    return found + [
        text for each in scene.versions().values() if (text := scene.artifact(each["run_id"], "certificate.json"))
    ]
