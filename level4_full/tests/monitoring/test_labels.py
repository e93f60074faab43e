"""Labels that do not come in clusters, as those of delays do, switch the calibration off."""

import pytest

from ...config.policy import read_policy
from ...config.problem import NAME
from ...monitoring import calibrate as calibration_code
from ...monitoring.calibrate import calibrate
from .test_calibrate import LIMITS, VERSION, flights, published  # noqa: F401 - the last one is a fixture

pytestmark = pytest.mark.usefixtures("published")


@pytest.fixture(autouse=True)
def _labels_of_a_coin(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calibration_code, "label_dispersion", lambda *_: LIMITS.min_label_dispersion - 0.1)


def test_labels_without_clusters_switch_it_off() -> None:
    assert calibrate("2013-03-08", flights(7), [VERSION], read_policy()).intercepts == {f"{NAME}/2@aa": 0.0}


def test_a_day_or_two_are_not_enough_to_switch_it_off() -> None:
    assert calibrate("2013-03-03", flights(2), [VERSION], read_policy()).intercepts[f"{NAME}/2@aa"] > 0
