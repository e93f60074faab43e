"""Run all gates on a candidate, and write the certificate of its package."""

from collections.abc import Callable
from typing import Any

from ..registry import certificate
from . import model_gates, package_gates
from .model_gates import Finding, ModelEvidence
from .package_gates import PackageEvidence

MODEL_GATES: tuple[Callable[[ModelEvidence], Finding], ...] = (
    model_gates.not_worse_than_champion,
    model_gates.no_slice_stands_out,
    model_gates.nobody_is_left_out,
)
PACKAGE_GATES: tuple[Callable[[PackageEvidence], Finding], ...] = (
    package_gates.features_agree,
    package_gates.contract_agrees,
    package_gates.conversion_agrees,
    package_gates.loads_alone,
    package_gates.passes_tests,
    package_gates.answers_golden_requests,
    package_gates.staging_is_production,
    package_gates.fast_enough,
)


def certify(model: ModelEvidence, package: PackageEvidence, provenance: dict[str, Any]) -> str:
    """Return the certificate, whatever the verdict: the finding of every gate, tied to the digest of the package.

    Args:
        model: what the model gates look at.
        package: what the package gates look at.
        provenance: where the package came from: run, snapshot, commit.
    """
    findings = {gate.__name__: _find(gate, model) for gate in MODEL_GATES}
    findings |= {gate.__name__: _find(gate, package) for gate in PACKAGE_GATES}
    return certificate.write(package.artifact.digest, findings, provenance)


def _find(gate: Callable[[Any], Finding], evidence: Any) -> dict[str, Any]:
    try:
        passed, reason = gate(evidence)
    except Exception as error:  # a gate that cannot run has not been passed
        passed, reason = False, f"could not run: {type(error).__name__}: {error}"
    return {"passed": passed, "reason": reason}
