"""Ask every replica of a service the same, and not just the one that answers first."""

import socket

import httpx


def ask(address: str, path: str) -> list[httpx.Response]:
    """Return what each replica answers: the engine's DNS gives all their addresses for the one name.

    Raises:
        httpx.HTTPError: there is none, or one does not answer.
    """
    service = httpx.URL(address)
    try:
        found = socket.getaddrinfo(service.host, service.port, socket.AF_INET, socket.SOCK_STREAM)
    except OSError as error:
        raise httpx.ConnectError(f"{address}: {error}") from error
    with httpx.Client(timeout=5, trust_env=False) as client:  # a proxy is told to leave out names, not addresses
        hosts = sorted({where[0] for *_, where in found})
        return [client.get(service.copy_with(host=host, path=service.path.rstrip("/") + path)) for host in hosts]
