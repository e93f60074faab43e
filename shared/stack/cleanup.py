"""What this project leaves in the container engine, and its removal."""

import os
from functools import partial
from typing import Any

from .. import base
from .docker import IMAGE_LABEL, LABEL, connect
from .swarm import wait_until

BRIDGE = "docker_gwbridge"  # the engine makes it for a swarm, and leaves it behind
SERVICE_ID = "com.docker.swarm.service.id"  # the label of a service's containers


def clean() -> None:
    """Remove what this project left in the engine, after naming it: containers, networks, volumes and images."""
    client = connect()
    if client.info()["Swarm"]["ControlAvailable"]:
        clean_swarm(client)
    for kind in ("containers", "networks", "volumes"):
        for thing in _ours(client, kind):
            print(f"removing {kind.removesuffix('s')} {thing.name}", flush=True)
            thing.remove(**({"force": True, "v": True} if kind == "containers" else {}))
    for image in client.images.list(all=False, filters={"label": IMAGE_LABEL}):
        name = ", ".join(image.tags) or image.short_id
        if any(container.image == image for container in client.containers.list(all=True, ignore_removed=True)):
            print(f"leaving image {name}: a container of another checkout runs it")
            continue
        print(f"removing image {name}", flush=True)
        client.images.remove(image.id, force=True)


def clean_swarm(client: Any) -> None:
    """Remove what stages have in the swarm; leave one that a stage has made, unless others use it by now."""
    for kind in ("services", "secrets", "configs"):
        for thing in _ours(client, kind):
            print(f"removing {kind.removesuffix('s')} {thing.name}", flush=True)
            thing.remove()
            if kind == "services":
                wait_until(partial(_has_ended, client, thing.id))
    client.swarm.reload()
    if not _is_ours(client.swarm):
        return
    if client.services.list():
        print("leaving the swarm as it is: somebody else's services run in it")
        return
    print("leaving the swarm of one node", flush=True)
    client.swarm.leave(force=True)
    for network in client.networks.list(names=[BRIDGE]):
        network.remove()


def _has_ended(client: Any, service: str) -> bool:
    """Tell whether the containers of a service on this node are gone."""
    return not client.containers.list(all=True, ignore_removed=True, filters={"label": f"{SERVICE_ID}={service}"})


def _ours(client: Any, kind: str) -> list[Any]:
    """Return what the stages of this checkout have made of a kind."""
    listed = {"all": True} if kind == "containers" else {}
    return [thing for thing in getattr(client, kind).list(filters={"label": LABEL}, **listed) if _is_ours(thing)]


def _is_ours(thing: Any) -> bool:
    attributes = thing.attrs
    inner = attributes.get("Spec") or attributes.get("Config") or {}
    labels: dict[str, str] = attributes.get("Labels") or inner.get("Labels") or {}
    return labels.get(LABEL, "").startswith(f"{base.WORKSPACES}{os.sep}")
