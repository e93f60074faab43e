"""The certificate of a package: which gates it passed, tied to its digest."""

import hashlib
import json
from typing import Any

from ..errors import RefusedError


class NotCertifiedError(RefusedError):
    """The package must not serve; the message names the gates it failed, or what is wrong with its certificate."""


def write(digest: str, gates: dict[str, dict[str, Any]], provenance: dict[str, Any]) -> str:
    """Return the certificate as text: the same findings give the same bytes.

    Args:
        digest: of the package.
        gates: by gate, what it found: `passed`, and the `reason`.
        provenance: where the package came from: run, snapshot, commit.
    """
    return json.dumps({"digest": digest, "gates": gates, **provenance}, indent=1, sort_keys=True)


def seal(text: str) -> str:
    """Return the checksum by which the registry tells whether a certificate was changed."""
    return hashlib.sha256(text.encode()).hexdigest()


def check(text: str, sealed: str, digest: str) -> None:
    """Check that a certificate is unchanged, is about this package, and that no gate in it failed.

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
    findings = certificate["gates"]
    if not findings:
        raise NotCertifiedError("the certificate names no gate: certify the package again")
    failed = [f"{gate}: {finding['reason']}" for gate, finding in findings.items() if not finding["passed"]]
    if failed:
        raise NotCertifiedError(f"stopped by {len(failed)} of {len(findings)} gates: {'; '.join(failed)}")
