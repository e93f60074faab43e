"""What the model is asked, and what it is to learn."""

import numpy as np
import pandas as pd

from ...config.problem import LATE_MINUTES, OUTCOME
from ...training.model import is_late, late_probability
from ...training.train import train


def test_the_order_of_the_rows_does_not_matter(flights: pd.DataFrame) -> None:
    model = train(flights, {"max_iter": 5, "random_state": 0})
    answers = late_probability(model, flights)
    np.testing.assert_array_equal(late_probability(model, flights[::-1]), answers[::-1])


def test_late_means_so_many_minutes_or_more() -> None:
    delays = pd.DataFrame({OUTCOME: [LATE_MINUTES + more for more in (-35, -15, -1, -0.1, 0, 1, 585)]})
    assert is_late(delays).tolist() == [0, 0, 0, 0, 1, 1, 1]
