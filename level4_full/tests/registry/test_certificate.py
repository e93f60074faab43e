"""Certificates: whole, about this package, and with every gate passed."""

import json
from typing import Any

import pytest

from ...delivery.certify import GATES as RUN
from ...registry import certificate
from ...registry.certificate import GATES, NotCertifiedError, check, seal, write

DIGEST = "a" * 64


def findings(**changes: Any) -> dict[str, dict[str, Any]]:
    return {gate: {"passed": True, "says": "well"} for gate in GATES} | changes


def test_every_gate_that_a_certificate_must_hold_is_run() -> None:
    assert {gate.__name__ for gate in RUN} == set(GATES)


def test_a_whole_certificate_passes() -> None:
    text = write(DIGEST, findings(), {"run": "r"})
    check(text, seal(text), DIGEST)


@pytest.mark.parametrize("gate", GATES)
def test_a_failed_gate_is_named(gate: str) -> None:
    text = write(DIGEST, findings(**{gate: {"passed": False, "says": "not well"}}), {})
    with pytest.raises(NotCertifiedError, match=f"{gate}: not well"):
        check(text, seal(text), DIGEST)


@pytest.mark.parametrize("gate", GATES)
def test_a_missing_gate_is_named(gate: str) -> None:
    found = findings()
    del found[gate]
    with pytest.raises(NotCertifiedError, match=f"lacks the gate {gate}"):
        write(DIGEST, found, {})


def test_what_was_certified_before_a_gate_was_added_goes_on_to_serve(monkeypatch: pytest.MonkeyPatch) -> None:
    text = write(DIGEST, findings(), {})
    monkeypatch.setattr(certificate, "GATES", (*GATES, "a_new_gate"))
    check(text, seal(text), DIGEST)
    with pytest.raises(NotCertifiedError, match="a_new_gate"):
        write(DIGEST, findings(), {})


def test_a_certificate_of_another_package_is_refused() -> None:
    text = write("b" * 64, findings(), {})
    with pytest.raises(NotCertifiedError, match="bbbbbbbbbbbb"):
        check(text, seal(text), DIGEST)


def test_a_changed_certificate_is_refused() -> None:
    text = write(DIGEST, findings(), {})
    changed = json.dumps(json.loads(text))
    with pytest.raises(NotCertifiedError, match="changed"):
        check(changed, seal(text), DIGEST)
