"""The replay: what models say about the real input, whatever their levels were given."""

import hashlib
import pickle
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from onnx import TensorProto, helper

from shared.base import StageError
from shared.simulation.replay import PACKAGE, features, keep, replay
from shared.stack.tracking import Tracking
from shared.world.dataset import load_year

from ..conftest import YEAR

NOWHERE = Tracking("")


class Humid:
    """A model that says how humid it is; its columns are in an order of its own."""

    feature_names_in_ = ("weekday", "humid")

    def predict_proba(self, columns: pd.DataFrame) -> np.ndarray:
        assert list(columns) == list(self.feature_names_in_)
        share = columns["humid"].to_numpy() / 100
        return np.column_stack([1 - share, share])


@pytest.fixture(scope="module")
def flights() -> pd.DataFrame:
    year = load_year(YEAR)
    return pd.concat([year.flights_of(date(2013, 3, 23)), year.flights_of(date(2013, 3, 24))])


def test_a_model_that_was_a_file_answers_after_the_file_is_gone(tmp_path: Path, flights: pd.DataFrame) -> None:
    trained = tmp_path / "model.pkl"
    trained.write_bytes(pickle.dumps(Humid()))
    name = hashlib.sha256(trained.read_bytes()).hexdigest()[:12]  # what the levels call it
    keep(trained, tmp_path / "kept")
    trained.unlink()
    table = replay([name], flights, tmp_path / "kept", NOWHERE)
    assert list(table.index) == list(flights["flight_id"])
    np.testing.assert_allclose(table[name], flights["humid"] / 100, rtol=1e-5)


def test_a_package_answers_as_it_does_where_it_serves(
    tmp_path: Path, flights: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    humid = helper.make_tensor_value_info("humid", TensorProto.FLOAT, [None, 1])
    late = helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, [None, 2])
    graph = helper.make_graph(
        [helper.make_node("Concat", ["humid", "humid"], ["probabilities"], axis=1)], "m", [humid], [late]
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    stored = {("run-3", PACKAGE): model.SerializeToString()}
    monkeypatch.setattr(Tracking, "versions", lambda self: {"3": {"run_id": "run-3", "source": ""}})
    monkeypatch.setattr(Tracking, "content", lambda self, *where: stored[where])
    table = replay(["flight-delays/3"], flights, tmp_path, NOWHERE)
    np.testing.assert_allclose(table["flight-delays/3"], flights["humid"], rtol=1e-5)


def test_a_model_that_is_gone_is_named(tmp_path: Path, flights: pd.DataFrame) -> None:
    with pytest.raises(StageError, match=r"the model m/7 answered, but is neither in .* nor registered"):
        replay(["m/7"], flights, tmp_path, NOWHERE)


def test_the_features_are_those_of_the_levels(flights: pd.DataFrame) -> None:
    from level2_training.data.features import make_features

    theirs = pd.DataFrame(make_features(flights))
    pd.testing.assert_frame_equal(features(flights)[list(theirs)].reset_index(drop=True), theirs)
