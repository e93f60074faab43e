"""The certificate of a package: which gates it passed, tied to its digest, and sealed with the key of the stage.

The seal holds against everybody who can write to the registry and cannot read the key, which is for the user of
the stage only. Who works as that user can do all that the stage can. What only checks the seal, as the service
does, needs the key too; the containers of the registry and of the orchestration server do not see it.
"""

import hmac
import json
import os
import secrets
from contextlib import suppress
from typing import Any

from ..config import paths
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
    """Return the seal that only who has the key can make, and by which a changed certificate is known."""
    return hmac.new(_key(), text.encode(), "sha256").hexdigest()


def _key() -> bytes:
    """Return the key of the stage, which is made on first use."""
    with suppress(FileExistsError):
        part = paths.SEAL_KEY.with_name(f"{paths.SEAL_KEY.name}.{os.getpid()}")
        if not paths.SEAL_KEY.exists():
            part.touch(mode=0o600)
            part.write_bytes(secrets.token_bytes(32))
            try:
                os.link(part, paths.SEAL_KEY)  # whole, and only if nobody was faster
            finally:
                part.unlink()
    return paths.SEAL_KEY.read_bytes()


def check(text: str, sealed: str, digest: str) -> None:
    """Check that a certificate is unchanged, is about this package, and that no gate in it failed.

    Raises:
        NotCertifiedError: naming what is wrong.
    """
    if not hmac.compare_digest(seal(text), sealed):
        raise NotCertifiedError("the certificate was changed after it was sealed, or sealed by somebody else")
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
