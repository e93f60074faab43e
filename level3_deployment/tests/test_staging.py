"""Staging that refuses a version goes on with what it held."""

import pytest

from .. import registry, release
from ..release import STAGING, NotFollowedError


@pytest.mark.parametrize("held", ["1", None])
def test_staging_goes_on_with_what_it_held(monkeypatch: pytest.MonkeyPatch, held: str | None) -> None:
    aliases = {STAGING: held} if held else {}

    def refuses(*_: object, **__: object) -> None:
        assert aliases[STAGING] == "2"
        raise NotFollowedError("the service refuses version 2: it does not load")

    monkeypatch.setattr(registry, "version_of", aliases.get)
    monkeypatch.setattr(registry, "set_alias", aliases.__setitem__)
    monkeypatch.setattr(registry, "delete_alias", aliases.__delitem__)
    monkeypatch.setattr(release, "_wait", refuses)
    monkeypatch.setenv("STAGING", "http://127.0.0.1:1")
    with pytest.raises(NotFollowedError):
        release.stage("2")
    assert aliases.get(STAGING) == held
