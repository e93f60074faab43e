"""Is what releases, and what is released, the same everywhere, and nobody else's?"""

import base64
import hashlib
import json
import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from ...base import ROOT, git
from ..scenario.context import Context
from ..scenario.scenario import Scenario
from .probe import Finding, absent, holds, probe
from .release import certificate_served
from .tests import refused

KEY = "seal.key"  # what the delivery has, and nobody else who writes to the registry


@probe("VAL-03")
def small_groups(scenario: Scenario) -> Finding:
    """A candidate whose labels were turned around at small airlines only is refused."""
    return refused(scenario, "local", "small", "small carrier", "a model that leaves out small airlines")


@probe("TRN-06")
def staging_is_production(scenario: Scenario) -> Finding:
    """Staging and production name the hash of the released files, and the delivery compared them."""
    context = scenario.context
    staged, serving = (str(context.version(port).get("code", "")) for port in ("STAGING_PORT", "PORT"))
    if not staged:
        return absent("no staging says which code it runs")
    folder = _released(context)
    computed = hash_of(folder)
    number, text = certificate_served(context)
    gate = json.loads(text or "{}").get("gates", {}).get("staging_is_production", {})
    seen = (
        f"staging runs {staged}, production {serving}, and the files of {context.short(folder)} have {computed}; "
        f"certificate of version {number}: {gate.get('reason', 'nobody compared them')}"
    )
    return holds(staged == serving == computed and bool(gate.get("passed")), seen, seen)


def _released(context: Context) -> Path:
    """Return the folder that runs: the released one, or the checkout before any release."""
    current = context.workspace / "app" / "current"
    return (current.resolve() if current.exists() else ROOT) / context.stage.package


def hash_of(package: Path) -> str:
    """Return the hash of a package's source files without its tests, as the application should name it."""
    names = sorted(path.relative_to(package) for path in package.rglob("*.py"))
    content = [
        f"{name.as_posix()}\n".encode() + hashlib.sha256((package / name).read_bytes()).digest()
        for name in names
        if "tests" not in name.parts
    ]
    return hashlib.sha256(b"".join(content)).hexdigest()[:12]


@probe("GOV-04")
def delivery_alone_releases(scenario: Scenario) -> Finding:
    """The key that seals is its owner's alone and lies nowhere else; what it did not seal is not served."""
    context = scenario.context
    key = context.workspace / KEY
    if not key.exists():
        return absent("whoever may write to production is taken for the delivery: it has no key")
    mode = stat.S_IMODE(key.stat().st_mode)
    if mode & 0o077:
        return absent(f"{KEY} can be read by others than its owner: mode {mode:04o}")
    if leaks := list(_leaks(context, key)):
        return absent(f"the content of {KEY} is in {', '.join(leaks[:3])} too")
    uncertified = scenario.uncertified
    return holds(
        bool(uncertified.version) and not uncertified.served,
        f"{KEY}, mode {mode:04o}, is in no environment, log or other file; version {uncertified.version}, made "
        f"champion without it, is not served: {uncertified.problem[:120]}",
        f"version {uncertified.version}, which the delivery did not release, is served",
    )


def _leaks(context: Context, key: Path) -> Iterator[str]:
    """Yield where else the key can be read: environments, files of the stage such as logs, tracked files."""
    secret = key.read_bytes()
    spelled = [secret, secret.hex().encode(), base64.b64encode(secret).rstrip(b"=")]
    environments = {"the environment of the stage": json.dumps(context.stage.environment).encode()}
    for port in ("PORT", "STAGING_PORT"):
        with suppress(OSError):  # another system than Linux
            process = f"/proc/{context.version(port).get('process')}/environ"
            environments[f"the environment of the service at {port}"] = Path(process).read_bytes()
    for name, content in environments.items():
        if any(spelling in content for spelling in spelled):
            yield name
    tracked = [ROOT / name for name in git(ROOT, "ls-files", "-z").split("\0") if name]
    for path in [path for path in [*context.files(), *tracked] if path != key]:
        with suppress(OSError):  # what a server has just removed
            content = path.read_bytes()
            if any(spelling in content for spelling in spelled):
                yield context.short(path)
