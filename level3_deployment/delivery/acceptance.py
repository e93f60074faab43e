"""The level's own tests, run for every release; their report belongs to the release."""

import hashlib
import os
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[1]
SECONDS = 120.0
# What a model can break: the others are about code that CI has tested, and collecting them alone takes seconds.
TESTS = (
    "delivery/test_release.py",
    "serving/test_app.py",
    "serving/test_same_answers.py",
    "data/test_features.py",
    "registry/test_artifact.py",
    "registry/test_certificate.py",
)


@dataclass(frozen=True)
class Report:
    """What the tests said about one package."""

    package: str  # digest
    sha256: str  # of the JUnit report
    passed: int
    failed: list[str]


def run_tests(folder: Path, digest: str, report: Path) -> Report:
    """Run the tests of a release for a staged package; write their JUnit report and return what it says.

    They get an empty stage of their own to write to; only package, staging's port and the log are the real ones.
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
        options = ["-q", "--import-mode=importlib", "-p", "no:cacheprovider", "-m", "not slow"]
        report.unlink(missing_ok=True)
        command = [sys.executable, "-m", "pytest", *options, f"--junitxml={report}"]
        command += (str(PACKAGE / "tests" / name) for name in TESTS)
        try:
            subprocess.run(
                command, cwd=PACKAGE.parent, env=environment, capture_output=True, timeout=SECONDS, check=False
            )
            return read_report(report)
        except (OSError, subprocess.TimeoutExpired, ET.ParseError) as error:  # what did not run has not passed
            return Report(digest, "", 0, [f"no report: {error}"])


def read_report(path: Path) -> Report:
    """Read a JUnit report."""
    content = path.read_bytes()
    suites = ET.fromstring(content)  # noqa: S314 - written by ourselves a moment ago
    about = [each.get("value", "") for each in suites.iter("property") if each.get("name") == "package"]
    cases = list(suites.iter("testcase"))
    failed = [_named(case) for case in cases if case.find("failure") is not None or case.find("error") is not None]
    skipped = sum(case.find("skipped") is not None for case in cases)
    passed = len(cases) - len(failed) - skipped
    return Report(about[0] if about else "", hashlib.sha256(content).hexdigest(), passed, failed)


def _named(case: ET.Element) -> str:
    """Return the name of a test, with the first line of why it failed."""
    why = next((each for each in case if each.tag in ("failure", "error")), None)
    said = (why.get("message", "") if why is not None else "").partition("\n")[0]
    return f"{case.get('name')} ({said[:100]})"
