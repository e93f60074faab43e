"""The life cycle of a version: its states, and the tags of the registry in which each transition is kept."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

PREFIX = "history."  # of a tag: what follows is the time, and the value says the state and why


class State(StrEnum):
    """Where a version stands; its last transition says so. Who serves is what the aliases say."""

    REGISTERED = "registered"  # trained, and not delivered yet: no transition is on record
    INTERRUPTED = "interrupted in its delivery"  # a service did not answer: the next delivery tries once more
    REFUSED = "refused"  # by a gate or by a service
    CERTIFIED = "certified"  # no gate stopped it
    AWAITING_APPROVAL = "awaits approval"
    CHALLENGER = "became challenger"
    CHAMPION = "became champion"  # the first one
    PROMOTED = "promoted"  # from challenger to champion
    WITHDRAWN = "withdrawn"  # as challenger
    ROLLED_BACK_FROM = "rolled back from"
    ROLLED_BACK_TO = "rolled back to"


UNDELIVERED = {State.REGISTERED, State.INTERRUPTED, State.CERTIFIED}
CROWNED = {State.CHAMPION, State.PROMOTED, State.ROLLED_BACK_TO}
# What may follow a state, besides itself: a move whose process died is made again. No way back is ever closed.
FORWARD = {
    State.REGISTERED: {State.CERTIFIED, State.INTERRUPTED},
    State.INTERRUPTED: {State.CERTIFIED},
    State.CERTIFIED: {State.INTERRUPTED, State.AWAITING_APPROVAL, State.CHALLENGER, State.CHAMPION},
    State.AWAITING_APPROVAL: {State.CHALLENGER, State.CHAMPION},
    State.CHALLENGER: {State.PROMOTED},
    State.WITHDRAWN: {State.CHALLENGER},  # for another experiment
}
WAYS_BACK = {State.REFUSED, State.WITHDRAWN, State.ROLLED_BACK_FROM, State.ROLLED_BACK_TO}


@dataclass(frozen=True, order=True)
class Transition:
    """One transition of a version, when, and why."""

    at: str  # UTC
    version: str
    state: State
    why: str

    def __str__(self) -> str:
        """Return the transition as one line."""
        return f"{self.at[:19]}Z  version {self.version} {self.state}: {self.why}"


def transitions(version: str, tags: Mapping[str, str]) -> list[Transition]:
    """Return the transitions of a version that its tags hold, in order."""
    past = []
    for name, text in tags.items():
        if name.startswith(PREFIX):
            state, _, why = text.partition(": ")
            past.append(Transition(name.removeprefix(PREFIX), version, State(state), why))
    return sorted(past)


def state_of(tags: Mapping[str, str]) -> State:
    """Return the state of a version with these tags."""
    past = transitions("", tags)
    return past[-1].state if past else State.REGISTERED
