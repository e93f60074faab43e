"""The model gates: is something broken in the candidate, or in what it was trained on?

They detect faults, and do not judge small differences: what a model gains or loses on some held-out days says
next to nothing about the weeks that follow, so a candidate passes unless something is wrong with it.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from ..config.problem import SLICES
from ..data.features import CATEGORICAL
from ..training.evaluate import excess_loss

MAX_EXCESS_LOG_LOSS = 0.02
CONFIDENCE = 0.95
MAX_EXCESS_OF_SMALL = 0.08  # loss, of what is too small for a slice
«% if kind == "binary" %»
MAX_SHIFT = 0.1  # guess: of the mean prediction of a slice
«% else %»
MAX_SHIFT = «(scale * 0.25) | round(4)»  # guess: of the mean prediction of a slice
«% endif %»
MIN_INSTANCES = 300  # in a slice


@dataclass(frozen=True)
class ModelEvidence:
    """What the model gates look at: the held-out days, and what models predict that have not seen them."""

    recent: pd.DataFrame
    candidate: np.ndarray
    champion: np.ndarray | None
    slices: dict[str, pd.Series]


Finding = tuple[bool, str]




def not_worse_than_champion(evidence: ModelEvidence) -> Finding:
    """The candidate is surely not much worse than the champion: a test of non-inferiority."""
    if evidence.champion is None:
        return True, "there is no champion yet"
    excess = excess_loss(evidence.candidate, evidence.champion, evidence.recent)
    bound, limit = excess.upper(CONFIDENCE), MAX_EXCESS_LOG_LOSS
    return bound <= limit, f"loss {excess} above the champion's, surely below {bound:.4f}, at most {limit}"


def no_slice_stands_out(evidence: ModelEvidence) -> Finding:
    """No slice changed much more than all others since the champion; needs no label.

    The limits are guesses: watch how often they refuse a sound candidate.
    """
    if evidence.champion is None:
        return True, "there is no champion yet"
    beyond = []
    for column, values in evidence.slices.items():
        shifts = slice_shifts(evidence.candidate - evidence.champion, values)
        limit = MAX_SHIFT
        beyond += [f"{column} {name} {shift:+.3f}" for name, shift in shifts.items() if abs(shift) > limit]
    return not beyond, f"mean prediction moved: {', '.join(beyond)}" if beyond else "all slices moved alike"


def nobody_is_left_out(evidence: ModelEvidence) -> Finding:
    """Values too small for a slice, taken together, moved with all others, and surely are not much worse.

    The limits are guesses: watch how often they refuse a sound candidate.
    """
    if evidence.champion is None:
        return True, "there is no champion yet"
    max_shift, max_excess = MAX_SHIFT, MAX_EXCESS_OF_SMALL
    beyond, changes = [], evidence.candidate - evidence.champion
    groups = small_groups(evidence.recent)
    for column, small in groups.items():
        shift = changes[small].mean() - changes[~small].mean()
        excess = excess_loss(evidence.candidate[small], evidence.champion[small], evidence.recent[small])
        bound = excess.upper(CONFIDENCE)
        if abs(shift) > max_shift:
            beyond.append(f"small {column}: mean prediction moved {shift:+.3f}, at most {max_shift}")
        if not bound <= max_excess:
            beyond.append(f"small {column}: loss {excess}, surely below {bound:.4f}, at most {max_excess}")
    return not beyond, "; ".join(beyond) or f"looked at small ones by {', '.join(groups) or 'nothing: too few'}"


def small_groups(recent: pd.DataFrame) -> dict[str, np.ndarray]:
    """Return, by category, where its values are that are too small for a slice: together they may be enough."""
    groups = {}
    for column in dict.fromkeys([*SLICES, *CATEGORICAL]):
        values = recent[column].astype(str)
        small = (values.map(values.value_counts()) < MIN_INSTANCES).to_numpy()
        if MIN_INSTANCES <= small.sum() < len(small):
            groups[column] = small
    return groups


def slice_shifts(changes: np.ndarray, values: pd.Series) -> dict[str, float]:
    """Return, by slice, the mean change of its predictions minus that of all other instances, largest first.

    Slices of fewer than 300 instances are left out.
    """
    total, shifts = changes.sum(), {}
    for value, count in values.value_counts().items():
        if MIN_INSTANCES <= count < len(changes):
            inside = changes[(values == value).to_numpy()].sum()
            shifts[str(value)] = float(inside / count - (total - inside) / (len(changes) - count))
    return dict(sorted(shifts.items(), key=lambda item: -abs(item[1])))
