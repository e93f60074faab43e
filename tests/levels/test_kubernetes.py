"""The manifests are what compose says, in the words of the published schemas; and they are fresh."""

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from shared.kubernetes import manifests, page
from shared.kubernetes.manifests import Manifest, build_command, path_of, problems, with_replicas

from ..conftest import ROOT, answers, free_port, wait_for

LEVELS = with_replicas()


def committed(level: str) -> str:
    return (ROOT / path_of(level)).read_text()


def of_kind(level: str, kind: str) -> Manifest:
    (found,) = (manifest for manifest in yaml.safe_load_all(committed(level)) if manifest["kind"] == kind)
    return dict(found)


def pod_of(level: str) -> dict[str, Any]:
    return dict(of_kind(level, "Deployment")["spec"]["template"]["spec"])


def service_of(level: str) -> dict[str, Any]:
    return dict(yaml.safe_load((ROOT / level / "compose.yaml").read_text())["services"]["app"])


def test_levels_3_and_4_have_manifests() -> None:
    assert LEVELS == ["level3_deployment", "level4_full"]


def test_manifests_and_page_are_those_of_today() -> None:
    stale = [str(path) for path, text in page.files().items() if (ROOT / path).read_text() != text]
    assert not stale, "run `make kubernetes`"


@pytest.mark.parametrize("level", LEVELS)
def test_the_published_schemas_accept_the_manifests(level: str) -> None:
    assert problems(committed(level)) == []
    assert committed(level).startswith(f"# The application of {level} on Kubernetes")
    assert "validated against its published schemas, and not run" in committed(level)


MISTAKES = {
    "a name with a typo": ("readinessProbe:", "readinesProbe:", "readinesProbe"),
    "a typo deep inside": ("readOnlyRootFilesystem:", "readOnlyRootFileSystem:", "readOnlyRootFileSystem"),
    "a word for a number": ("replicas: 3", "replicas: three", "'three' is not of type"),
    "a kind that there is not": ("kind: Deployment", "kind: Deploiment", "Deploiment"),
    "an address that is no text": ("value: http://mlflow:5000", "value: 5000", "5000 is not of type"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_manifest_with_a_mistake_is_refused(mistake: str) -> None:
    right, wrong, message = MISTAKES[mistake]
    text = committed(LEVELS[-1])
    assert right in text
    assert message in " ".join(problems(text.replace(right, wrong)))


@pytest.mark.parametrize("level", LEVELS)
def test_the_pod_is_the_container_of_compose(level: str) -> None:
    pod, service = pod_of(level), service_of(level)
    (container,) = pod["containers"]
    assert container["image"] == "${REGISTRY}/" + service["image"].replace("${LEVEL}", level)
    environment = {entry["name"]: entry["value"] for entry in container["env"]}
    assert environment == {name: str(value) for name, value in service["environment"].items()} | manifests.STATE
    for each in (*pod["initContainers"], container):
        assert in_bytes(each["resources"]["limits"]["memory"]) == in_bytes(service["mem_limit"])
        hardening = each["securityContext"]
        assert hardening["readOnlyRootFilesystem"] is service["read_only"] is True
        assert hardening["capabilities"]["drop"] == service["cap_drop"] == ["ALL"]
        assert hardening["allowPrivilegeEscalation"] is False
    mounted = {mount["mountPath"] for mount in container["volumeMounts"]}
    assert {*service["tmpfs"], "/stage"} <= mounted


@pytest.mark.parametrize("level", LEVELS)
def test_the_pod_runs_as_the_user_of_the_image_and_is_asked_as_the_image_asks_itself(level: str) -> None:
    dockerfile, pod = (ROOT / level / "Dockerfile").read_text(), pod_of(level)
    assert f"useradd --uid {pod['securityContext']['runAsUser']} " in dockerfile
    assert pod["securityContext"]["runAsNonRoot"] is True
    (container,) = pod["containers"]
    assert f"EXPOSE {container['ports'][0]['containerPort']}\n" in dockerfile
    probe = container["startupProbe"]
    start = probe["periodSeconds"] * probe["failureThreshold"]
    asks = f"--interval={probe['periodSeconds']}s --timeout={probe['timeoutSeconds']}s --start-period={start}s"
    assert asks in dockerfile


@pytest.mark.parametrize("level", LEVELS)
def test_the_image_is_built_under_its_name_with_the_driver_of_the_log(level: str) -> None:
    dockerfile, command = (ROOT / level / "Dockerfile").read_text(), build_command(level)
    given = dict(re.findall(r"--build-arg (\w+)=(\S+)", command))
    assert given.keys() <= set(re.findall(r"^ARG (\w+)", dockerfile, re.MULTILINE))
    groups = tomllib.loads((ROOT / "pyproject.toml").read_text())["dependency-groups"]
    assert any(entry.startswith("psycopg") for entry in groups[given["MORE"]])
    assert "httptools>=0.6" in groups[given["GROUP"]]
    (target,) = re.findall(r"--target (\w+)", command)
    assert f" AS {target}\n" in dockerfile
    (tag,) = re.findall(r"--tag (\S+)", command)
    assert tag == pod_of(level)["containers"][0]["image"].replace("{", "").replace("}", "")


def test_the_page_says_how_the_image_is_built() -> None:
    assert build_command(page.LEVEL) in (ROOT / page.PAGE).read_text()


@pytest.mark.parametrize("level", LEVELS)
def test_no_replica_keeps_what_others_need(level: str) -> None:
    """The log is elsewhere, and all that a pod writes goes with it."""
    pod = pod_of(level)
    environment = {entry["name"]: entry["value"] for entry in pod["containers"][0]["env"]}
    assert environment["PREDICTION_LOG"].startswith("postgresql://")
    kinds = {next(kind for kind in volume if kind != "name") for volume in pod["volumes"]}
    assert kinds == {"emptyDir", "secret"}


@pytest.mark.parametrize("level", LEVELS)
def test_no_secret_has_a_value_and_no_address_a_password(level: str) -> None:
    assert not {"data", "stringData"} & of_kind(level, "Secret").keys()
    assert not re.search(r"://[^/@\s]+:[^/@\s]+@", committed(level))


@pytest.mark.parametrize("level", LEVELS)
def test_service_budget_and_deployment_mean_the_same_pods(level: str) -> None:
    deployment = of_kind(level, "Deployment")["spec"]
    labels = deployment["template"]["metadata"]["labels"].items()
    selectors = [
        of_kind(level, "Service")["spec"]["selector"],
        of_kind(level, "PodDisruptionBudget")["spec"]["selector"]["matchLabels"],
        deployment["selector"]["matchLabels"],
    ]
    assert all(selector and selector.items() <= labels for selector in selectors)


@pytest.mark.slow
@pytest.mark.parametrize("level", LEVELS)
def test_a_replica_without_a_model_lives_and_is_not_ready(level: str, tmp_path: Path) -> None:
    """The probes ask what the application answers: none of its own endpoints says this."""
    port, nobody = free_port(), f"http://127.0.0.1:{free_port()}"
    command = [sys.executable, "-m", "uvicorn", f"{level}.serving.service:asgi", "--port", str(port)]
    environment = os.environ | {"STAGE": str(tmp_path), "LEVEL": level, "MLFLOW_TRACKING_URI": nobody}
    process = subprocess.Popen(command, cwd=ROOT, env=environment)
    try:
        (container,) = pod_of(level)["containers"]
        lives, ready = (container[probe]["httpGet"]["path"] for probe in ("livenessProbe", "readinessProbe"))
        wait_for("the application", lambda: answers(f"http://127.0.0.1:{port}{lives}"))
        assert httpx.get(f"http://127.0.0.1:{port}{ready}").status_code == 503
    finally:
        process.kill()
        process.wait()


def test_what_is_not_measured_is_waited_for_and_what_is_measured_is_shown() -> None:
    speed, board, endurance = (page.read(name) for name in ("speed", "scoreboard", "endurance"))
    assert page.page(speed, board, endurance, {}).count(page.WAITING) > 1
    figures = {"requests_a_second": 1234.0, "memory_mb": 777.0, "release_seconds": 42.0}
    log = {"PostgreSQL": {"1": {"3": 1234.0}}}
    measured = {"replicas": dict.fromkeys("123", figures), "nodes": {"2": figures}, "log": log}
    text = page.page(speed, board, endurance, measured)
    assert page.WAITING not in text
    assert "| replicas on two nodes: 3 | 1,234 | 777 | 42 |" in text
    assert "| up to 617: the prediction log takes no more |" in text


def in_bytes(size: str) -> int:
    """Return a size as compose or Kubernetes writes it."""
    number, unit = int(re.sub(r"\D", "", size)), re.sub(r"\d", "", size)
    return number * {"m": 2**20, "Mi": 2**20, "g": 2**30, "Gi": 2**30}[unit]
