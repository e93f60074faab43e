"""The manifests of a level's application, its balancer and its secrets, from its compose.yaml and Dockerfile.

What compose says of the container, the manifest says: image, environment, memory, user, file system, capabilities,
health check. What only Kubernetes asks for stands here: how many replicas, and how one is replaced by another.
"""

import re
from pathlib import Path
from typing import Any

import yaml

from ..base import ROOT, StageError, levels

FOLDER = Path("docs/kubernetes")
FIRST = 3  # the first level whose application follows the registry, so that replicas need not be told
VERSION = "1.34"  # of Kubernetes: the first that has `sleep` before a stop without a feature gate
REPLICAS = 3
NAME = "app"
# Where the state is that replicas share. libpq ignores a password file that others may read.
STATE = {"PREDICTION_LOG": "postgresql://app@postgres:5432/predictions", "PGPASSFILE": "/secrets/pgpass"}
PROCESSOR = "250m"  # reserved; a level may use more where there is some, as compose.yaml sets no limit either
SECONDS_TO_LEAVE = 5  # until no balancer sends requests to a pod that is about to stop
HEAD = """\
# The application of {level} on Kubernetes {version}: validated against its published schemas, and not run.
# Written by `make kubernetes` from {level}/compose.yaml; do not edit.
#
# Two names must lead somewhere: postgres (the prediction log) and mlflow (the registry, which has the packages).
# Pipelines, registry and orchestration stay where they are: no second replica of them is needed.
#
#   kubectl create secret generic {name} --from-file=pgpass
#   REGISTRY=registry.example REVISION=... envsubst <{path} | kubectl apply -f -
"""

Manifest = dict[str, Any]


def build_command(level: str) -> str:
    """Return how the image of a level's application is built with the driver for a log that replicas share."""
    compose, overlay = (
        yaml.safe_load((ROOT / level / name).read_text())["services"][NAME]
        for name in ("compose.yaml", "compose.scale.yaml")
    )
    given = compose["build"]["args"] | overlay["build"]["args"] | {"LEVEL": level, "REVISION": "$REVISION"}
    arguments = [f"--build-arg {name}={value}" for name, value in sorted(given.items()) if name != "BASE"]
    return " \\\n  ".join(
        [
            f"docker build --file {level}/Dockerfile --target {compose['build']['target']}",
            *arguments,
            f"--tag {_image(level, compose).replace('{', '').replace('}', '')} .",
        ]
    )


class _Plain(yaml.SafeDumper):
    """Writes what occurs twice twice: people read it."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def manifests(level: str) -> list[Manifest]:
    """Return the objects of a level's application, in the order in which they are made."""
    service = yaml.safe_load((ROOT / level / "compose.yaml").read_text())["services"][NAME]
    dockerfile = (ROOT / level / "Dockerfile").read_text()
    port, labels = int(_found(r"^EXPOSE (\d+)", dockerfile)), {"app.kubernetes.io/name": NAME}
    selector = {"matchLabels": labels}
    return [
        _object("v1", "Secret", level, type="Opaque"),
        _object(
            "v1",
            "Service",
            level,
            spec={"selector": labels, "ports": [{"name": "http", "port": port, "targetPort": "http"}]},
        ),
        _object("policy/v1", "PodDisruptionBudget", level, spec={"maxUnavailable": 1, "selector": selector}),
        _object(
            "apps/v1",
            "Deployment",
            level,
            spec={
                "replicas": REPLICAS,
                "selector": selector,
                "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1}},
                "template": {
                    "metadata": {"labels": _labels(level)},
                    "spec": _pod(level, service, dockerfile, port),
                },
            },
        ),
    ]


def _image(level: str, service: dict[str, Any]) -> str:
    return "${REGISTRY}/" + str(service["image"]).replace("${LEVEL}", level)


def _pod(level: str, service: dict[str, Any], dockerfile: str, port: int) -> dict[str, Any]:
    user = int(_found(r"useradd --uid (\d+)", dockerfile))
    image = _image(level, service)
    scratch = {name: f"/{name}" for name in ("tmp", "stage", "secrets")}
    return {
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,  # else a Service called mlflow sets MLFLOW_PORT, which is no port then
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": user,
            "runAsGroup": user,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "topologySpreadConstraints": [
            {
                "maxSkew": 1,
                "topologyKey": "kubernetes.io/hostname",
                "whenUnsatisfiable": "ScheduleAnyway",
                "labelSelector": {"matchLabels": {"app.kubernetes.io/name": NAME}},
            }
        ],
        # A mounted secret belongs to root, so that its file cannot be the user's alone; a copy can.
        "initContainers": [
            {
                "name": "secrets",
                "image": image,
                "command": ["install", "-m", "0600", "/run/secrets/pgpass", STATE["PGPASSFILE"]],
                "securityContext": _hardening(service),
                "resources": _resources(service),
                "volumeMounts": [
                    {"name": "mounted", "mountPath": "/run/secrets", "readOnly": True},
                    {"name": "secrets", "mountPath": "/secrets"},
                ],
            }
        ],
        "containers": [
            {
                "name": NAME,
                "image": image,
                "env": [{"name": name, "value": value} for name, value in _environment(service).items()],
                "ports": [{"name": "http", "containerPort": port}],
                "resources": _resources(service),
                "securityContext": _hardening(service),
                **_probes(dockerfile),
                "lifecycle": {"preStop": {"sleep": {"seconds": SECONDS_TO_LEAVE}}},
                "volumeMounts": [{"name": name, "mountPath": path} for name, path in scratch.items()],
            }
        ],
        "volumes": [
            *({"name": name, "emptyDir": {}} for name in ("tmp", "stage")),
            {"name": "secrets", "emptyDir": {"medium": "Memory"}},
            {"name": "mounted", "secret": {"secretName": NAME}},
        ],
    }


def _environment(service: dict[str, Any]) -> dict[str, str]:
    """Return what the container finds in its environment: that of compose, and where the state is."""
    return {name: str(value) for name, value in service["environment"].items()} | STATE


def _hardening(service: dict[str, Any]) -> dict[str, Any]:
    """Return what a container may not do, as compose has it."""
    return {
        "readOnlyRootFilesystem": service["read_only"],
        "allowPrivilegeEscalation": "no-new-privileges:true" not in service["security_opt"],
        "capabilities": {"drop": service["cap_drop"]},
    }


def _resources(service: dict[str, Any]) -> dict[str, Any]:
    """Return the memory of compose, reserved as a whole: what is promised twice is there once."""
    memory = f"{int(service['mem_limit'].removesuffix('m'))}Mi"
    return {"requests": {"cpu": PROCESSOR, "memory": memory}, "limits": {"memory": memory}}


def _probes(dockerfile: str) -> dict[str, Any]:
    """Return when a container is started again, and when it is sent requests; as often as the image checks itself.

    BentoML answers: /livez while the process lives, /readyz while a request would be answered and logged.
    """
    every, waits, start = (
        int(_found(rf"^HEALTHCHECK .*--{name}=(\d+)s", dockerfile))
        for name in ("interval", "timeout", "start-period")
    )
    lives, ready = (
        {"httpGet": {"path": path, "port": "http"}, "periodSeconds": every, "timeoutSeconds": waits}
        for path in ("/livez", "/readyz")
    )
    return {
        "startupProbe": lives | {"failureThreshold": start // every},
        "livenessProbe": lives,
        "readinessProbe": ready | {"failureThreshold": 1},
    }


def _object(version: str, kind: str, level: str, **content: Any) -> Manifest:
    return {"apiVersion": version, "kind": kind, "metadata": {"name": NAME, "labels": _labels(level)}, **content}


def _labels(level: str) -> dict[str, str]:
    return {"app.kubernetes.io/name": NAME, "app.kubernetes.io/part-of": level}


def _found(pattern: str, text: str) -> str:
    found = re.search(pattern, text, re.MULTILINE)
    if not found:
        raise StageError(f"the Dockerfile has nothing like {pattern}: the manifests are made from it")
    return found[1]


def problems(text: str) -> list[str]:
    """Return what the published schemas of Kubernetes say against manifests, unknown names included."""
    import kubernetes_validate

    found = []
    for manifest in yaml.safe_load_all(text):
        try:
            kubernetes_validate.validate(manifest, VERSION, strict=True)
        except kubernetes_validate.ValidationError as error:
            found.append(f"{manifest['kind']} {'.'.join(map(str, error.path))}: {error.message}")
        except kubernetes_validate.SchemaNotFoundError as error:
            found.append(error.message)
    return found


def render(level: str) -> str:
    """Return the manifests of a level as a file."""
    head = HEAD.format(level=level, version=VERSION, name=NAME, path=path_of(level))
    return head + yaml.dump_all(manifests(level), Dumper=_Plain, sort_keys=False, width=115, explicit_start=True)


def path_of(level: str) -> Path:
    """Return the file of a level's manifests."""
    return FOLDER / f"{level.partition('_')[0]}.yaml"


def with_replicas() -> list[str]:
    """Return the levels whose application can have replicas."""
    return [name for number, name in levels().items() if number >= FIRST]
