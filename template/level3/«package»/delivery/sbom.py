"""The software bill of materials of what serves: the packages of its environment, in CycloneDX."""

import json
import os
import subprocess
from hashlib import sha256
from importlib.metadata import distributions
from pathlib import Path

from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL

from ..config.files import write_text


def write(path: Path) -> str:
    """Write the bill; return its SHA-256, which is the same for the same packages: the bill has no time."""
    asked = [os.environ["SERVING"], "-I", "-c", "import sys; print(*sys.path, sep='\\n')"]
    folders = subprocess.run(asked, check=True, capture_output=True, text=True).stdout.splitlines()
    found = {PackageURL("pypi", name=one.name, version=one.version) for one in distributions(path=folders)}
    packages = [Component(name=url.name, version=url.version, purl=url, bom_ref=str(url)) for url in found]
    bill = json.loads(JsonV1Dot6(Bom(components=packages)).output_as_string())
    del bill["serialNumber"], bill["metadata"]["timestamp"], bill["dependencies"]  # it knows no dependencies
    write_text(path, text := json.dumps(bill, indent=1, sort_keys=True))
    return sha256(text.encode()).hexdigest()
