"""The software bill of materials of a level: what its part of the lock installs here, in CycloneDX."""

import json
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from .. import base
from ..base import ROOT, StageError, levels, write_text
from .lock import part_for


def write(number: int) -> Path:
    """Write the bill of a level; return its file.

    Raises:
        StageError: there is no such level.
    """
    if number not in levels():
        raise StageError(f"there is no level {number}: choose one of {', '.join(map(str, levels()))}")
    groups = tomllib.loads((ROOT / "pyproject.toml").read_text())["dependency-groups"]
    lines = part_for(set(_named(groups, f"level{number}"))).splitlines()
    pinned = [Requirement(line.rstrip(" \\")) for line in lines if re.match(r"\w", line)]
    here = [one for one in pinned if not one.marker or one.marker.evaluate()]
    urls = [PackageURL("pypi", name=one.name, version=str(one.specifier).removeprefix("==")) for one in here]
    packages = [Component(name=url.name, version=url.version, purl=url, bom_ref=str(url)) for url in urls]
    path = base.WORKSPACES / "sbom" / f"level{number}.cdx.json"
    bill = json.loads(JsonV1Dot6(Bom(components=packages)).output_as_string())
    del bill["dependencies"]  # else it would say that none needs another
    write_text(path, json.dumps(bill, indent=1))
    return path


def _named(groups: dict[str, list[Any]], group: str) -> Iterator[str]:
    """Yield the packages that a group names, and those of the groups that it includes."""
    for entry in groups[group]:
        if isinstance(entry, dict):
            yield from _named(groups, entry["include-group"])
        else:
            yield canonicalize_name(Requirement(entry).name)
