"""Settings from a file, as a typed model: read whole or refused, and never changed afterwards."""

import hashlib
from pathlib import Path
from typing import TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from ..errors import StageError


class SettingsError(StageError):
    """A file of settings cannot be used; the message names what is wrong in it."""


class Settings(BaseModel):
    """Part of a file of settings; a name that it does not know is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class SettingsFile(Settings):
    """A whole file of settings, with its fingerprint."""

    sha256: str


S = TypeVar("S", bound=SettingsFile)


def read_settings(path: Path, kind: type[S]) -> S:
    """Read a file of settings.

    Raises:
        SettingsError: it cannot be read, or lacks or has a name or a value that it should not.
    """
    try:
        content = path.read_bytes()
        values = yaml.safe_load(content)
        return kind.model_validate(values | {"sha256": hashlib.sha256(content).hexdigest()})
    except ValidationError as error:
        problems = [f"{'.'.join(map(str, problem['loc']))}: {problem['msg']}" for problem in error.errors()]
        raise SettingsError(f"{path.name} cannot be used: {'; '.join(problems)}") from error
    except (OSError, TypeError, yaml.YAMLError) as error:
        raise SettingsError(f"{path.name} cannot be read: {error}") from error
