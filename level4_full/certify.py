"""Put a package before the gates, all of them, and write the certificate."""

from collections.abc import Callable
from typing import Any

from . import certificate, gates, trials
from .gates import Evidence, Finding

GATES: tuple[Callable[[Evidence], Finding], ...] = (
    gates.beats_baselines,
    gates.not_worse_than_champion,
    gates.not_worse_in_any_slice,
    gates.calibrated,
    trials.features_agree,
    trials.contract_agrees,
    trials.conversion_agrees,
    trials.loads_alone,
    trials.passes_tests,
    trials.answers_golden_requests,
    trials.fast_enough,
)


def certify(evidence: Evidence, trail: dict[str, Any]) -> str:
    """Return the certificate, whatever the verdict; it joins every gate's finding to the package's digest.

    Args:
        evidence: what the gates look at.
        trail: where the package came from: run, snapshot, commit.
    """
    findings = {}
    for gate in GATES:
        try:
            passed, says = gate(evidence)
        except Exception as error:  # a gate that cannot look has not been passed
            passed, says = False, f"could not look: {type(error).__name__}: {error}"
        findings[gate.__name__] = {"passed": passed, "says": says}
    return certificate.write(evidence.artefact.digest, findings, trail)
