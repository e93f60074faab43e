"""A stage that is destroyed but for its state, and comes back from version control and from its registry."""

import shutil
import socket
from dataclasses import dataclass
from datetime import date

from ...base import StageError
from .code_release import CodeRelease, content_digest
from .context import Context

# What comes from elsewhere. All else is state: data, runs, the registry, and at level 1 the model handed over.
INSTALLED = ("app/releases", "serving", "logs")
SECONDS_TO_COME_BACK = 90.0


@dataclass(frozen=True)
class Environment:
    """What runs, as far as it shows from outside."""

    model: str
    application: str
    content: str  # digest of all files of the release that runs
    answers: tuple[float, ...]

    def __str__(self) -> str:
        """Return it in words."""
        return f"{self.model} in application {self.application}, content {self.content[:12] or 'missing'}"


@dataclass
class Rebuild:
    """What ran before and after; without a release from version control there is nothing to start from."""

    before: Environment | None = None
    after: Environment | None = None
    files: int = 0  # that were removed


def rebuild(context: Context, code_release: CodeRelease, day: date) -> Rebuild:
    """Stop all processes, remove all that was installed, start again, and release the same commit again."""
    if not code_release.command:
        return Rebuild()
    stage, before = context.stage, _look(context, day)
    stage.stop()
    files = 0
    for folder in (context.workspace / name for name in INSTALLED):
        files += sum(path.is_file() for path in folder.rglob("*"))
        shutil.rmtree(folder, ignore_errors=True)
    (context.workspace / "app" / "current").unlink(missing_ok=True)
    stage.prepare(keep=True)
    stage.start()
    stage.wait_until_ready()
    context.wait_for("all servers", lambda: all(map(_listens, stage.ports.values())), SECONDS_TO_COME_BACK)
    context.command("bash", "-c", code_release.command)
    try:
        context.wait_for("the model", lambda: context.version().get("model") == before.model)
    except StageError as error:  # what else serves is for the probe to see
        context.note(str(error))
    return Rebuild(before, _look(context, day), files)


def _look(context: Context, day: date) -> Environment:
    version = context.version()
    answers = context.ask(day)
    return Environment(
        str(version.get("model")),
        str(version.get("application")),
        content_digest((context.workspace / "app" / "current").resolve()),
        tuple(answers[flight].late_probability for flight in sorted(answers)),
    )


def _listens(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0
