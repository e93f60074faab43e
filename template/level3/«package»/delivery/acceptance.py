"""The acceptance tests of a release: those of this level's own tests that ask the staged package."""

import hashlib
import os
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from pathlib import Path

from ..config.version import PACKAGE

SECONDS = 120.0
# All other tests bring small models of their own: no candidate can break them, and CI has run them for this code.
TESTS = ("delivery/test_release.py",)


@dataclass(frozen=True)
class Report:
    """The result of the acceptance tests for one package."""

    package: str  # digest
    sha256: str  # of the JUnit report
    passed: int
    failed: list[str]


def run_tests(folder: Path, digest: str, report: Path) -> Report:
    """Run the acceptance tests for a staged package; write their JUnit report and return its result.

    The tests write to an empty stage of their own; only the package, the staging service and the prediction log
    are the real ones.
    """
    with tempfile.TemporaryDirectory() as empty:
        environment = os.environ | {
            "RELEASE_DIGEST": digest,
            "RELEASE_PACKAGE": str(folder),
            "RELEASE_STAGE": os.environ["STAGE"],
            "STAGE": empty,
            "MLFLOW_TRACKING_URI": "http://127.0.0.1:1",
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",  # those of other packages, which take a second
        }
        environment.pop("PYTEST_ADDOPTS", None)  # meant for other tests than these
        options = ["-q", "--import-mode=importlib", "-p", "no:cacheprovider", "-m", "not slow"]
        report.unlink(missing_ok=True)
        command = [sys.executable, "-m", "pytest", *options, f"--junitxml={report}"]
        command += (str(PACKAGE / "tests" / name) for name in TESTS)
        try:
            subprocess.run(
                command, cwd=PACKAGE.parent, env=environment, capture_output=True, timeout=SECONDS, check=False
            )
            return read_report(report)
        except (
            OSError,
            subprocess.TimeoutExpired,
            ET.ParseError,
        ) as error:  # tests that did not run have not passed
            return Report(digest, "", 0, [f"no report: {error}"])


def read_report(path: Path) -> Report:
    """Read a JUnit report."""
    content = path.read_bytes()
    suites = ET.fromstring(content)  # noqa: S314 - written by ourselves a moment ago
    properties = [(entry.get("name"), entry.get("value", "")) for entry in suites.iter("property")]
    packages = [value for name, value in properties if name == "package"]
    cases = list(suites.iter("testcase"))
    failed = [_named(case) for case in cases if case.find("failure") is not None or case.find("error") is not None]
    skipped = sum(case.find("skipped") is not None for case in cases)
    passed = len(cases) - len(failed) - skipped
    return Report(packages[0] if packages else "", hashlib.sha256(content).hexdigest(), passed, failed)


def _named(case: ET.Element) -> str:
    """Return the name of a failed test, with the first line of its message."""
    messages = [entry.get("message", "") for entry in case if entry.tag in ("failure", "error")]
    return f"{case.get('name')} ({messages[0].partition(chr(10))[0][:100]})"
