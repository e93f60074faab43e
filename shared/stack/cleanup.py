"""What this project leaves in the container engine, and its removal."""

import os
from typing import Any

from .. import base
from .docker import IMAGE_LABEL, LABEL, connect


def clean() -> None:
    """Remove what this project left in the engine, after naming it: containers, networks, volumes and images."""
    client = connect()
    for kind in ("containers", "networks", "volumes"):
        listed = {"all": True} if kind == "containers" else {}
        for thing in getattr(client, kind).list(filters={"label": LABEL}, **listed):
            if _labels(thing)[LABEL].startswith(f"{base.WORKSPACES}{os.sep}"):
                print(f"removing {kind.removesuffix('s')} {thing.name}", flush=True)
                thing.remove(**({"force": True, "v": True} if kind == "containers" else {}))
    for image in client.images.list(all=False, filters={"label": IMAGE_LABEL}):
        name = ", ".join(image.tags) or image.short_id
        if any(container.image == image for container in client.containers.list(all=True)):
            print(f"leaving image {name}: a container of another checkout runs it")
            continue
        print(f"removing image {name}", flush=True)
        client.images.remove(image.id, force=True)


def _labels(thing: Any) -> dict[str, str]:
    """Return the labels of a container, network or volume."""
    attributes = thing.attrs
    labels: dict[str, str] = attributes.get("Labels") or attributes.get("Config", {}).get("Labels") or {}
    return labels
