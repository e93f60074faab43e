"""What a stage says to a swarm, without one."""

import stat
from pathlib import Path
from typing import Any

import pytest
import yaml

from shared.base import ROOT, StageError, levels
from shared.stack.engines import open_stage
from shared.stack.swarm import BALANCER, OVERLAY, make_secrets, translate

SCALED = [name for name in levels().values() if (ROOT / name / OVERLAY).exists()]


def read(level: str, name: str) -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load((ROOT / level / name).read_text())
    return content


@pytest.mark.parametrize("level", SCALED)
def test_a_swarm_is_told_the_same_limits_and_nothing_that_it_refuses(level: str) -> None:
    compose = read(level, "compose.yaml")
    translated = translate(compose, read(level, OVERLAY))["services"]
    assert translated.keys() == compose["services"].keys() - {"tests"}
    for name, service in translated.items():
        assert service["deploy"]["resources"]["limits"]["memory"] == compose["services"][name]["mem_limit"]
        assert not service.keys() & {"mem_limit", "profiles", "ports", "restart", "build"}, name
        assert {"type": "tmpfs", "target": "/tmp"} in service["volumes"]  # noqa: S108 - in the container
        assert service["read_only"], name
    assert not [volume for volume in translated["app"]["volumes"] if "state:/stage" in volume]
    assert "state:/stage" in translated["worker"]["volumes"]


@pytest.mark.parametrize("level", SCALED)
def test_the_overlay_adds_to_services_that_there_are(level: str) -> None:
    known = read(level, "compose.yaml")["services"].keys() - {"tests"}
    assert read(level, OVERLAY)["services"].keys() == known | {"postgres", "s3"}


@pytest.mark.parametrize("level", SCALED)
def test_no_service_is_asked_through_a_proxy(level: str) -> None:
    services = read(level, OVERLAY)["services"]
    for spelling in ("NO_PROXY", "no_proxy"):
        assert services.keys() <= set(services["app"]["environment"][spelling].split(","))


@pytest.mark.parametrize("level", SCALED)
def test_the_way_in_is_open_on_loopback_only(level: str) -> None:
    for port in read(level, BALANCER)["services"]["balancer"]["ports"]:
        assert port.startswith("127.0.0.1:")
    assert not [name for name, service in read(level, OVERLAY)["services"].items() if "ports" in service]


def test_passwords_are_for_the_user_of_the_stage_and_stay(tmp_path: Path) -> None:
    folder = tmp_path / "secrets"
    make_secrets(folder)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    contents = {path.name: path.read_text() for path in folder.iterdir()}
    assert contents["postgres_password"] in contents["pgpass"]
    assert contents["s3_key"].strip('"').removeprefix("stage,") in contents["s3_credentials"]
    make_secrets(folder)
    assert {path.name: path.read_text() for path in folder.iterdir()} == contents
    make_secrets(tmp_path / "another")
    assert (tmp_path / "another" / "seal_key").read_text() != contents["seal_key"]


@pytest.mark.parametrize("replicas", ["0", "11", "many"])
def test_a_number_of_replicas_that_cannot_be_is_refused(replicas: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENGINE", "swarm")
    monkeypatch.setenv("REPLICAS", replicas)
    with pytest.raises(StageError, match=f"REPLICAS={replicas}: say how many there are to be, from 1 to 10"):
        open_stage(3)


def test_a_level_that_has_no_replicas_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENGINE", "swarm")
    with pytest.raises(StageError, match=r"level 1 has no compose\.scale\.yaml: leave ENGINE=swarm out"):
        open_stage(1)


def test_a_worker_of_the_pool_runs_on_any_node_and_keeps_nothing_there() -> None:
    overlay = read("level4_full", OVERLAY)
    pipeline = translate(read("level4_full", "compose.yaml"), overlay)["services"]["pipeline"]
    over = overlay["services"]["pipeline"]
    assert over["image"].startswith("${REGISTRY}")
    assert "placement" not in over["deploy"]
    assert over["command"].endswith(" work")
    assert "command" not in pipeline  # the engine would join the two
    assert {mount["type"] for mount in (*pipeline["volumes"], *over["volumes"])} == {"tmpfs"}
