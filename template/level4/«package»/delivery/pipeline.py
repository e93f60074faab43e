"""The delivery pipeline: package, stage, certify, release. No person, and no way around a gate."""

from prefect import flow

from ..config import paths
from ..config.params import Params, read_params
from ..config.policy import read_policy
from ..errors import RefusedError, StageError
from ..events import Event, Kind
from ..operations.flow_logs import print_briefly
from ..operations.lock import exclusive_lock
from ..registry import certificate, history, models, uncertified
from ..registry.lifecycle import State
from . import model_card, promotion
from .following import NotFollowedError
from .tasks import build, examine, pack

print_briefly()


class NotApprovedError(RefusedError):
    """The version cannot be approved."""


@flow(name="delivery", flow_run_name="version-{version}")
def deliver(version: str) -> str:
    """Bring a registered version as far towards production as its gates let it; return what came of it.

    Raises:
        NotCertifiedError: a gate refused it; the registry says which.
        NotFollowedError: a service did not answer; the next delivery tries again, once.
    """
    with exclusive_lock(paths.APP):  # or a release of the code would restart staging under the gates
        if version not in history.undelivered():
            return f"version {version} has been delivered before"
        params = read_params()
        before, arms = history.state(version), map(models.version_of, (models.CHAMPION, promotion.CHALLENGER))
        if before is State.CERTIFIED and version in arms:
            return promotion.release(version, params.experiment)  # its delivery died in its release
        try:
            return _deliver(version, params)
        except (RefusedError, NotFollowedError) as error:
            # A service that does not answer is no verdict; but a model that silences a service twice is refused.
            final = isinstance(error, RefusedError) or before is State.INTERRUPTED
            history.record(version, State.REFUSED if final else State.INTERRUPTED, str(error))
            raise


def _deliver(version: str, params: Params) -> str:
    models.check_made_here(models.version(version))
    digest = build(version)
    promotion.stage(version)
    text = examine(version, digest, read_policy())
    certificate.check(text, certificate.seal(text), digest)
    history.record(version, State.CERTIFIED, "no gate stopped it")
    pack(version, digest)
    model_card.write(version, paths.RUNS / models.version(version).run_id)
    if params.approval == "manual":
        history.record(version, State.AWAITING_APPROVAL, "a person decides")
        return f"version {version} is certified and awaits approval"
    return promotion.release(version, params.experiment)


def finish() -> list[Event]:
    """Deliver the versions whose delivery was interrupted, as when the process died; return what came of each."""
    with exclusive_lock(paths.APP):  # a delivery that runs right now ends first
        uncertified.retire()
        left = history.undelivered()
    return [attempt(version) for version in left]  # one that is refused keeps no other waiting


def attempt(version: str) -> Event:
    """Deliver a version, and return what came of it: that a gate stops it is a verdict and no failure."""
    facts = {"version": version}
    try:
        return Event(Kind.DELIVERED, deliver(version), facts)
    except RefusedError as error:
        champion = models.version_of(models.CHAMPION)
        then = f"; version {champion} goes on answering" if champion else ""
        return Event(Kind.REFUSED, f"version {version} was refused: {error}{then}", facts)
    except StageError as error:
        return Event(Kind.INTERRUPTED, f"version {version} was not delivered: {error}", facts)


def approve(version: str) -> str:
    """Release a certified version that awaits a person's approval.

    Raises:
        NotApprovedError: it does not await one.
    """
    with exclusive_lock(paths.APP):
        if history.state(version) is not State.AWAITING_APPROVAL:
            raise NotApprovedError(f"version {version} does not await approval: list the versions with `models`")
        return promotion.release(version, read_params().experiment)
