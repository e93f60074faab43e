"""Run all gates on a package, and write the certificate."""

from collections.abc import Callable
from typing import Any

from ..registry import certificate
from . import model_gates, package_gates
from .model_gates import Evidence, Finding

GATES: tuple[Callable[[Evidence], Finding], ...] = (
    model_gates.beats_baselines,
    model_gates.not_worse_than_champion,
    model_gates.not_worse_in_any_slice,
    model_gates.calibrated,
    package_gates.features_agree,
    package_gates.contract_agrees,
    package_gates.conversion_agrees,
    package_gates.loads_alone,
    package_gates.passes_tests,
    package_gates.answers_golden_requests,
    package_gates.fast_enough,
)


def certify(evidence: Evidence, provenance: dict[str, Any]) -> str:
    """Return the certificate, whatever the verdict: the finding of every gate, tied to the digest of the package.

    Args:
        evidence: what the gates look at.
        provenance: where the package came from: run, snapshot, commit.
    """
    findings = {}
    for gate in GATES:
        try:
            passed, reason = gate(evidence)
        except Exception as error:  # a gate that cannot run has not been passed
            passed, reason = False, f"could not run: {type(error).__name__}: {error}"
        findings[gate.__name__] = {"passed": passed, "reason": reason}
    return certificate.write(evidence.artifact.digest, findings, provenance)
