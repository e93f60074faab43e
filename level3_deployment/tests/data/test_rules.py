"""Which columns features are made from, and who is in no table any more."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from ...config.problem import BANNED, BASELINE, WHO
from ...data import rules
from ...data.features import make_features
from ...data.snapshot import load_table
from ...errors import RefusedError, StageError
from ..conftest import make_flights, write_days


def who_is_in(table: pd.DataFrame) -> list[str]:
    return [" ".join(map(str, row)) for row in table[WHO].to_numpy()]


def test_no_feature_is_made_from_a_banned_column(flights: pd.DataFrame) -> None:
    rules.check_features(flights)


@pytest.mark.parametrize("column", BANNED)
def test_a_feature_from_a_banned_column_is_named_with_it(
    flights: pd.DataFrame, column: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        rules, "make_features", lambda rows: make_features(rows) | {"leak": np.asarray(rows[column])}
    )
    with pytest.raises(RefusedError, match=f"leak is made from {column}"):
        rules.check_features(flights)


def test_each_feature_has_the_columns_that_change_it(
    flights: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    made_from = rules.sources(flights)
    assert all(made_from.values())
    monkeypatch.setattr(
        rules, "make_features", lambda rows: {"constant": np.zeros(len(rows))} | make_features(rows)
    )
    assert rules.sources(flights) == {"constant": set()} | made_from
    assert BASELINE in made_from


def test_who_is_forgotten_is_in_no_table_and_all_others_are(tmp_path: Path) -> None:
    write_days(make_flights(days=3, per_day=30), tmp_path)
    before = who_is_in(load_table(tmp_path))
    gone = before[0]
    assert rules.forget(gone, tmp_path) >= before.count(gone)
    assert who_is_in(load_table(tmp_path)) == [who for who in before if who != gone]
    rules.forget(before[-1], tmp_path)
    assert who_is_in(load_table(tmp_path)) == [who for who in before if who not in (gone, before[-1])]
    assert gone not in (tmp_path / rules.FORGOTTEN).read_text()


def test_somebody_unknown_is_no_reason_to_believe_that_all_is_done(tmp_path: Path) -> None:
    write_days(make_flights(days=1), tmp_path)
    with pytest.raises(StageError, match="nobody at all"):
        rules.forget("nobody at all", tmp_path)
    assert not (tmp_path / rules.FORGOTTEN).exists()
