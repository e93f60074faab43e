"""The verdict over a package: which gates it passed, tied to its digest."""

import hashlib
import json
from typing import Any

from ..errors import RefusedError

# No certificate is written that lacks one of these. One that was written before a gate was added goes on to count.
GATES = (
    "beats_baselines",
    "not_worse_than_champion",
    "not_worse_in_any_slice",
    "calibrated",
    "features_agree",
    "contract_agrees",
    "conversion_agrees",
    "loads_alone",
    "passes_tests",
    "answers_golden_requests",
    "fast_enough",
)


class NotCertifiedError(RefusedError):
    """The package must not serve; the message says which gate it failed, or what is wrong with its certificate."""


def write(digest: str, gates: dict[str, dict[str, Any]], trail: dict[str, Any]) -> str:
    """Return the certificate as text: the same findings give the same bytes.

    Raises:
        NotCertifiedError: a gate is missing among the findings.
    """
    if missing := [gate for gate in GATES if gate not in gates]:
        raise NotCertifiedError(f"the certificate lacks the gate {missing[0]}: certify the package again")
    return json.dumps({"digest": digest, "gates": gates, **trail}, indent=1, sort_keys=True)


def seal(text: str) -> str:
    """Return what the registry keeps to tell whether a certificate was changed."""
    return hashlib.sha256(text.encode()).hexdigest()


def check(text: str, sealed: str, digest: str) -> None:
    """Check that a certificate is as it was written, is about this package, and that no gate in it failed.

    Raises:
        NotCertifiedError: naming what is wrong.
    """
    if seal(text) != sealed:
        raise NotCertifiedError("the certificate was changed after it was sealed: certify the package again")
    certificate = json.loads(text)
    if certificate["digest"] != digest:
        raise NotCertifiedError(
            f"the certificate is about {certificate['digest'][:12]}, not about {digest[:12]}: certify this package"
        )
    failed = [f"{gate}: {found['says']}" for gate, found in certificate["gates"].items() if not found["passed"]]
    if failed:
        raise NotCertifiedError(f"refused by the gate {'; and by '.join(failed)}")
