"""Spread pieces of work that need nothing of each other over the workers of a Dask cluster.

`CLUSTER=tcp://host:8786` names its scheduler: the same address that Prefect's Dask task runner takes.
`CLUSTER=local` starts one for as long as the work lasts, with a worker for each processor of this machine. Without
either, the pieces are done here, one after the other.

A worker runs in a checkout of the same commit with the same packages, since it is sent the name of a function and
not its code. A piece whose worker dies is done by another one.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

from .base import StageError

Item = TypeVar("Item")
Result = TypeVar("Result")
LOOPBACK = "127.0.0.1"
SECONDS_TO_CONNECT = 10


def address() -> str:
    """Return the cluster that the environment names; without one, nothing."""
    return os.environ.get("CLUSTER", "")


def spread(function: Callable[[Item], Result], items: Sequence[Item]) -> Iterator[tuple[Item, Result]]:
    """Yield each item with what a function returns for it, as they are done.

    Raises:
        StageError: no such cluster answers, or its packages are not installed.
    """
    if not address() or not items:
        yield from ((item, function(item)) for item in items)
        return
    with connected() as client:
        from distributed import as_completed

        futures = [client.submit(function, item, pure=False) for item in items]
        by_key = {future.key: item for future, item in zip(futures, items, strict=True)}
        for future in as_completed(futures):
            yield by_key[future.key], future.result()


@contextmanager
def connected() -> Iterator[Any]:
    """Yield a client of the cluster that the environment names.

    Raises:
        StageError: no such cluster answers, or its packages are not installed.
    """
    try:
        from distributed import Client, LocalCluster
    except ModuleNotFoundError as error:
        raise StageError("CLUSTER needs the packages of `cluster`: see docs/fanout.md, or leave it out") from error
    if address() != "local":
        try:
            with Client(address(), timeout=SECONDS_TO_CONNECT) as client:
                yield client
        except OSError as error:
            raise StageError(f"no Dask scheduler answers at CLUSTER={address()}: {error}") from error
        return
    here = {"host": LOOPBACK, "dashboard_address": f"{LOOPBACK}:0"}
    with (
        LocalCluster(n_workers=os.cpu_count(), threads_per_worker=1, **here) as cluster,
        Client(cluster) as client,
    ):
        yield client
