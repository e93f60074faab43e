"""History and life cycle: in order, nothing overwritten, and a rollback that never brings a bad model back."""

from types import SimpleNamespace

import pytest

from ...errors import RefusedError
from ...registry import history, models
from ...registry.history import champion_before
from ...registry.lifecycle import CROWNED, PREFIX, UNDELIVERED, State, Transition

FIRST, CHALLENGER, PROMOTED = State.CHAMPION, State.CHALLENGER, State.PROMOTED
LEFT, BACK = State.ROLLED_BACK_FROM, State.ROLLED_BACK_TO


@pytest.fixture
def registry(monkeypatch: pytest.MonkeyPatch) -> dict[str, SimpleNamespace]:
    """Make a registry of two versions that keeps tags as the real one does: the same name overwrites."""
    versions = {number: SimpleNamespace(version=number, tags={}) for number in ("1", "2")}
    monkeypatch.setattr(models, "tag", lambda version, name, value: versions[version].tags.update({name: value}))
    monkeypatch.setattr(models, "version", versions.__getitem__)
    monkeypatch.setattr(models, "versions", lambda: list(versions.values()))
    return versions


def stand(registry: dict[str, SimpleNamespace], states: dict[str, State]) -> None:
    """Let versions have been in these states, long ago."""
    for number, state in states.items():
        registry[number].tags[f"{PREFIX}2013-01-0{number}T00:00:00.000000"] = f"{state}: a test"


def test_all_transitions_are_kept_in_order(registry: dict[str, SimpleNamespace]) -> None:
    stand(registry, {"1": State.CERTIFIED, "2": State.CERTIFIED})
    history.record("2", CHALLENGER, "20% of traffic")
    history.record("1", FIRST, "nothing: it is")
    history.record("2", CHALLENGER, "50% of traffic")
    past = history.read()
    assert [(transition.version, transition.state, transition.why) for transition in past[2:]] == [
        ("2", CHALLENGER, "20% of traffic"),
        ("1", FIRST, "nothing: it is"),
        ("2", CHALLENGER, "50% of traffic"),
    ]
    assert "version 2 became challenger: 50% of traffic" in str(past[-1])


def test_the_last_transition_is_the_state(registry: object) -> None:
    assert history.state("2") is State.REGISTERED
    history.record("2", State.CERTIFIED, "no gate stopped it")
    history.record("2", CHALLENGER, "20% of traffic")
    history.record("2", State.WITHDRAWN, "worse: by far")
    assert history.state("2") is State.WITHDRAWN


@pytest.mark.parametrize("state", State)
def test_a_delivery_goes_on_until_something_came_of_it(registry: dict[str, SimpleNamespace], state: State) -> None:
    assert history.undelivered() == ["1", "2"]
    stand(registry, {"1": state})
    assert ("1" in history.undelivered()) == (state in (State.REGISTERED, State.INTERRUPTED, State.CERTIFIED))


@pytest.mark.parametrize("state", sorted({State.REFUSED, LEFT, *UNDELIVERED} - {State.CERTIFIED}))
@pytest.mark.parametrize("move", [CHALLENGER, FIRST, PROMOTED])
def test_what_is_not_certified_or_was_left_cannot_move_towards_production(
    registry: dict[str, SimpleNamespace], state: State, move: State
) -> None:
    stand(registry, {"1": state})
    before = dict(registry["1"].tags)
    with pytest.raises(RefusedError, match=f"version 1 is {state.name}, and no move .* to {move.name}"):
        history.record("1", move, "a test")
    assert registry["1"].tags == before


@pytest.mark.parametrize("move", [State.REFUSED, State.WITHDRAWN, LEFT, BACK])
@pytest.mark.parametrize("state", State)
def test_no_way_back_is_ever_closed(registry: dict[str, SimpleNamespace], state: State, move: State) -> None:
    stand(registry, {"1": state})
    history.record("1", move, "a test")
    assert history.state("1") is move


@pytest.mark.parametrize("state", State)
def test_a_move_can_be_made_again(registry: dict[str, SimpleNamespace], state: State) -> None:
    stand(registry, {"1": state})
    history.record("1", state, "again")
    assert history.read()[-1].why == "again"


@pytest.mark.parametrize("state", sorted(CROWNED))
def test_a_champion_is_never_judged_again(registry: dict[str, SimpleNamespace], state: State) -> None:
    stand(registry, {"1": state})
    with pytest.raises(RefusedError, match="CERTIFIED"):
        history.record("1", State.CERTIFIED, "a test")


def past(*happened: tuple[str, State]) -> list[Transition]:
    return [Transition(f"{n:03}", version, state, "") for n, (version, state) in enumerate(happened)]


THREE = [("1", FIRST), ("2", CHALLENGER), ("2", PROMOTED), ("3", PROMOTED)]


def test_a_rollback_leads_to_the_champion_before() -> None:
    assert champion_before(past(*THREE), "3") == "2"
    assert champion_before(past(("1", FIRST), ("2", CHALLENGER)), "1") is None
    assert champion_before([], None) is None


def test_a_second_rollback_goes_further_back_and_a_third_nowhere() -> None:
    once = [*THREE, ("3", LEFT), ("2", BACK)]
    assert champion_before(past(*once), "2") == "1"
    twice = [*once, ("2", LEFT), ("1", BACK)]
    assert champion_before(past(*twice), "1") is None
    assert champion_before(past(*twice, ("4", PROMOTED)), "4") == "1"


def test_a_rollback_that_died_half_way_does_not_lead_back_to_what_it_left() -> None:
    assert champion_before(past(*THREE, ("3", LEFT)), "3") == "2"
    assert champion_before(past(*THREE, ("3", LEFT)), "2") == "1"
