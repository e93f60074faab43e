"""Packages: the same bytes from the same model, and nothing that was changed."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from skl2onnx import to_onnx

from ...data.features import CATEGORICAL, make_features
from ...delivery import package as packaging
from ...delivery.package import package
from ...registry.artifact import DESCRIPTION, MODEL, BrokenArtifactError, digest_of, load
from ...training.model import late_probability
from ...training.train import train
from ..example import NUMBER, UNSEEN

PARAMS = {"max_iter": 20, "random_state": 0}


@pytest.fixture
def folder(flights: pd.DataFrame, tmp_path: Path) -> Path:
    package(train(flights, PARAMS), flights, {"run": "a"}, tmp_path / "package")
    return tmp_path / "package"


def test_a_package_answers_like_the_model_it_was_made_from(flights: pd.DataFrame, folder: Path) -> None:
    unseen = flights.assign(**UNSEEN, **{NUMBER: np.nan})
    for table in (flights, unseen):
        answers = load(folder, digest_of(folder)).predict(make_features(table))
        assert np.abs(answers - late_probability(train(flights, PARAMS), table)).max() < 1e-6


def test_the_same_model_gives_the_same_digest_and_another_another(
    flights: pd.DataFrame, folder: Path, tmp_path: Path
) -> None:
    same = package(train(flights, PARAMS), flights, {"run": "a"}, tmp_path / "same")
    other = package(train(flights, PARAMS | {"max_iter": 21}), flights, {"run": "a"}, tmp_path / "other")
    assert digest_of(folder) == same != other


@pytest.mark.parametrize("reverse", [False, True])
def test_another_process_gives_the_same_digest_though_it_iterates_sets_in_another_order(
    flights: pd.DataFrame, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reverse: bool
) -> None:
    def converts(*arguments: Any, **options: Any) -> Any:
        converted = to_onnx(*arguments, **options)
        converted.opset_import.sort(key=lambda opset: opset.domain, reverse=reverse)
        return converted

    monkeypatch.setattr(packaging, "to_onnx", converts)
    assert package(train(flights, PARAMS), flights, {"run": "a"}, tmp_path / "other") == digest_of(folder)


@pytest.mark.parametrize("name", [MODEL, DESCRIPTION])
def test_one_changed_byte_is_noticed(folder: Path, name: str) -> None:
    digest = digest_of(folder)
    content = bytearray((folder / name).read_bytes())
    content[len(content) // 2] ^= 1
    (folder / name).write_bytes(content)
    with pytest.raises(BrokenArtifactError, match="it was changed"):
        load(folder, digest)


def test_a_missing_file_is_named(folder: Path) -> None:
    digest = digest_of(folder)
    (folder / MODEL).unlink()
    with pytest.raises(BrokenArtifactError, match=MODEL):
        load(folder, digest)


def test_a_package_answers_alike_exactly_at_the_thresholds_of_its_model(
    flights: pd.DataFrame, tmp_path: Path
) -> None:
    model = train(flights, PARAMS | {"max_iter": 50})
    artifact = load(tmp_path, package(model, flights, {"run": "a"}, tmp_path))
    nodes = np.concatenate([predictor.nodes for (predictor,) in model.steps[-1][1]._predictors])
    split = nodes[(nodes["is_leaf"] == 0) & (nodes["is_categorical"] == 0)]["num_threshold"]
    exact = np.unique(split.astype(np.float32))
    features = {name: column.repeat(4) for name, column in make_features(flights.head(500)).items()}
    random = np.random.default_rng(0)
    for name in features.keys() - set(CATEGORICAL):
        changed = features | {name: random.choice(exact, len(features[name]))}
        trained = model.predict_proba(pd.DataFrame(changed))[:, 1]
        assert np.abs(artifact.predict(changed) - trained).max() < 1e-5, name
