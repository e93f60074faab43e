"""The prediction log forgets whom it is told to forget."""

from pathlib import Path

from ...config.problem import ID, WHO
from ...data.schema import Instance
from ...serving.prediction_log import Logged, append, forget, last_prediction, open_log
from ..example import numbered


def test_who_is_forgotten_is_in_no_page_of_the_file(tmp_path: Path) -> None:
    path, instances = tmp_path / "predictions.db", [numbered(number) for number in range(100, 400)]
    with open_log(path) as log:  # and keep it open, as the service does
        append(log, [Logged(Instance.model_validate(instance), "champion", "m", 0.25) for instance in instances])
        gone = instances[7]
        assert forget(path, " ".join(str(gone[name]) for name in WHO)) == 1
        assert last_prediction(path, gone[ID]) is None
        assert last_prediction(path, instances[8][ID]) is not None
        assert not any(f'"{gone[ID]}"'.encode() in file.read_bytes() for file in tmp_path.iterdir())
