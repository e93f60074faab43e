"""Certificates: unchanged, about this package, and with every gate passed."""

import hashlib
import hmac
import json
from pathlib import Path
from typing import Any

import pytest

from ...config import paths
from ...delivery.certify import MODEL_GATES, PACKAGE_GATES
from ...registry.certificate import NotCertifiedError, check, seal, write

DIGEST = "a" * 64
NAMES = [gate.__name__ for gate in (*MODEL_GATES, *PACKAGE_GATES)]


@pytest.fixture(autouse=True)
def _key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paths, "SEAL_KEY", tmp_path / "seal.key")


def findings(**changes: Any) -> dict[str, dict[str, Any]]:
    return {name: {"passed": True, "reason": "well"} for name in NAMES} | changes


def test_a_certificate_whose_gates_all_passed_is_accepted() -> None:
    text = write(DIGEST, findings(), {"run": "r"})
    check(text, seal(text), DIGEST)


@pytest.mark.parametrize("gate", NAMES)
def test_a_failed_gate_is_named(gate: str) -> None:
    text = write(DIGEST, findings(**{gate: {"passed": False, "reason": "not well"}}), {})
    with pytest.raises(NotCertifiedError, match=f"{gate}: not well"):
        check(text, seal(text), DIGEST)


def test_a_certificate_without_gates_is_refused() -> None:
    text = write(DIGEST, {}, {})
    with pytest.raises(NotCertifiedError, match="names no gate"):
        check(text, seal(text), DIGEST)


def test_a_certificate_that_is_older_than_a_gate_stays_valid() -> None:
    older = findings()
    older.pop(NAMES[-1])
    text = write(DIGEST, older, {})
    check(text, seal(text), DIGEST)


def test_a_certificate_of_another_package_is_refused() -> None:
    text = write("b" * 64, findings(), {})
    with pytest.raises(NotCertifiedError, match="bbbbbbbbbbbb"):
        check(text, seal(text), DIGEST)


def test_a_changed_certificate_is_refused() -> None:
    text = write(DIGEST, findings(), {})
    changed = json.dumps(json.loads(text))
    with pytest.raises(NotCertifiedError, match="changed"):
        check(changed, seal(text), DIGEST)


def test_nobody_without_the_key_can_seal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = write(DIGEST, findings(), {})
    sealed = seal(text)
    assert hashlib.sha256(text.encode()).hexdigest() != sealed
    monkeypatch.setattr(paths, "SEAL_KEY", tmp_path / "another.key")
    with pytest.raises(NotCertifiedError, match="sealed by somebody else"):
        check(text, sealed, DIGEST)


def test_the_key_is_made_once_and_for_its_user_only() -> None:
    seal("a")
    key = paths.SEAL_KEY.read_bytes()
    seal("b")
    assert paths.SEAL_KEY.read_bytes() == key
    assert len(key) == 32
    assert paths.SEAL_KEY.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in paths.SEAL_KEY.parent.iterdir()] == ["seal.key"]


def test_a_key_that_is_given_is_read_and_nothing_is_written_beside_it() -> None:
    paths.SEAL_KEY.write_bytes(b"given to all replicas")
    paths.SEAL_KEY.chmod(0o444)
    before = paths.SEAL_KEY.parent.stat().st_mtime_ns
    assert seal("a") == hmac.new(b"given to all replicas", b"a", "sha256").hexdigest()
    assert paths.SEAL_KEY.parent.stat().st_mtime_ns == before
