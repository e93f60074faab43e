"""What a container engine cannot be asked for is explained."""

import pytest
import yaml

from shared.base import ROOT, StageError, levels
from shared.stack.engines import open_stage


def test_a_level_without_containers_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENGINE", "docker")
    with pytest.raises(StageError, match="level 0 has no containers: leave ENGINE=docker out"):
        open_stage(0)


def test_without_an_engine_it_says_how_to_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENGINE", "docker")
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere.sock")
    with pytest.raises(StageError, match=r"no Docker engine answers: start one .* leave ENGINE=docker out"):
        open_stage(1)


def test_another_engine_is_not_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENGINE", "podman")
    with pytest.raises(StageError, match="ENGINE=podman is not known"):
        open_stage(1)


@pytest.mark.parametrize(
    "level", [level for level in levels().values() if (ROOT / level / "compose.yaml").exists()]
)
def test_no_container_asks_another_one_through_a_proxy(level: str) -> None:
    services = yaml.safe_load((ROOT / level / "compose.yaml").read_text())["services"]
    for name, service in services.items():
        for spelling in ("NO_PROXY", "no_proxy"):
            direct = set(service["environment"][spelling].split(","))
            assert services.keys() - {"tests"} | {"localhost", "127.0.0.1"} <= direct, (name, spelling)
