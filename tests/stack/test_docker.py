"""What a container engine cannot be asked for is explained."""

import pytest

from shared.base import StageError
from shared.stack.docker import open_stage


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
