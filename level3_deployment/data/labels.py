"""Label dispersion: whether labels come in clusters, as real delays do, or look as if drawn at random."""

import numpy as np
import pandas as pd

from ..config.problem import GROUP, TIME

MIN_FLIGHTS = 8  # of a group in an hour: with less, the share that was late says nothing


def label_dispersion(flights: pd.DataFrame, late: np.ndarray) -> float:
    """Return how much more the share late varies between the hours of an airport than with independent labels.

    Bad weather delays the flights of an airport together. Labels turned around at random do not know about the
    weather, and pull this towards 1. No comparison of two models shows such labels: both are judged on them.

    Args:
        flights: with their group and their time.
        late: the label of each, 0 or 1.

    Returns:
        The variance of the shares over the mean of their binomial variances; NaN with too few flights to tell.
    """
    hours = pd.Series(late).groupby([flights[GROUP].to_numpy(), flights[TIME].dt.floor("h").to_numpy()])
    share, count = hours.mean(), hours.size()
    share, count = share[count >= MIN_FLIGHTS], count[count >= MIN_FLIGHTS]
    return float(share.var() / (share * (1 - share) / (count - 1)).mean())
