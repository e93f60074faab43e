"""What the model gates of level 3 catch, and how often they refuse a sound candidate.

Candidates of every Monday are judged as in the level: both models without their held-out fortnight, the champion
some weeks older. Every second Monday some of them are spoilt.
"""

from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd
from rich.progress import track

from level3_deployment.config.params import read_params
from level3_deployment.delivery.certify import MODEL_GATES
from level3_deployment.delivery.model_gates import ModelEvidence
from level3_deployment.training.evaluate import slices
from shared.world.bad_models import (
    all_labels_flipped,
    flip_labels,
    lose_delays,
    one_airport_lost,
    small_airlines_flipped,
)
from shared.world.period import FIRST_DAY, LAST_DAY, LIVE

from .year import Change, Model, Year

FOUR_WEEKS = timedelta(weeks=4)
AGES = [timedelta(weeks=weeks) for weeks in (1, 4, 8)]  # of the champion, when sound candidates are judged
HELD_OUT = timedelta(days=read_params().holdout_days)


def newest_labels_flipped(table: pd.DataFrame) -> pd.DataFrame:
    """Turn three labels in ten around in the two weeks before the held-out ones, which are spoilt too."""
    return flip_labels(table, _newest(table, weeks=2))


def one_airline_lost(table: pd.DataFrame) -> pd.DataFrame:
    """Lose half of the delays of one airline."""
    return lose_delays(table, (table["carrier"] == "EV").to_numpy())


def newest_columns_swapped(table: pd.DataFrame) -> pd.DataFrame:
    """Swap pressure and temperature in the newest four weeks: a fault of the inputs that spoils no label."""
    newest = _newest(table, weeks=4)
    return table.assign(
        temp=np.where(newest, table["pressure"], table["temp"]),
        pressure=np.where(newest, table["temp"], table["pressure"]),
    )


def _newest(table: pd.DataFrame, weeks: int) -> np.ndarray:
    departure = table["scheduled_departure"]
    return (departure > departure.max() - pd.Timedelta(weeks=weeks)).to_numpy()


FAULTS: dict[str, tuple[Change, Change | None]] = {  # by name: of the training days, and of the held-out days
    "labels flipped, held-out days sound": (all_labels_flipped, None),
    "newest labels flipped, held-out days too": (newest_labels_flipped, all_labels_flipped),
    "half of the delays at one airport lost": (one_airport_lost, None),
    "half of the delays of one airline lost": (one_airline_lost, None),
    "labels of small airlines flipped": (small_airlines_flipped, None),
    "two columns swapped in the newest weeks": (newest_columns_swapped, None),
}


def refused_by(year: Year, day: date, candidate: Model, champion: Model, spoil: Change | None = None) -> list[str]:
    """Return the gates that refuse a candidate on a day; `spoil` is what became of the held-out days."""
    where = year.between(day - HELD_OUT, day)
    recent = year.table.iloc[where].reset_index(drop=True)
    evidence = ModelEvidence(
        recent=spoil(recent) if spoil else recent,
        candidate=candidate.probability[where],
        champion=champion.probability[where],
        slices=slices(recent),
    )
    return [gate.__name__ for gate in MODEL_GATES if not gate(evidence)[0]]


def _refused(year: Year, day: date, age: timedelta, fault: tuple[Change | None, Change | None]) -> list[str]:
    """Return the gates that refuse a candidate of a day against a champion that is so much older."""
    first = day - HELD_OUT
    return refused_by(year, day, year.model(first, fault[0]), year.model(first - age), fault[1])


def with_faults(year: Year) -> list[date]:
    """Return the days on which faulty candidates are judged: every second Monday."""
    mondays = [day for day in year.live if day.weekday() == 0]
    return [day for day in mondays if LIVE + FOUR_WEEKS <= day <= LAST_DAY - FOUR_WEEKS][::2]


def measure(year: Year) -> dict[str, Any]:
    """Return how many candidates each gate refuses: sound ones by age of the champion, and faulty ones."""
    mondays = [day for day in year.live if day.weekday() == 0]
    sound = {}
    for age in track(AGES, "sound candidates"):
        judged = [day for day in mondays if day - HELD_OUT - age >= FIRST_DAY + FOUR_WEEKS]
        sound[str(age.days // 7)] = [_refused(year, day, age, (None, None)) for day in judged]
    few = with_faults(year)
    faulty = {
        name: [_refused(year, day, FOUR_WEEKS, fault) for day in few]
        for name, fault in track(list(FAULTS.items()), "faults")
    }
    return {
        "sound": {weeks: _count(refused) for weeks, refused in sound.items()},
        "faulty": {name: _count(refused) for name, refused in faulty.items()},
    }


def _count(refused: list[list[str]]) -> dict[str, int]:
    counts = {gate.__name__: sum(gate.__name__ in gates for gates in refused) for gate in MODEL_GATES}
    return {"candidates": len(refused), "refused": sum(map(bool, refused)), **counts}
