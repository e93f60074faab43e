"""The year as a policy sees it: the flights, their outcomes, and any model, trained once and kept in a cache."""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from rich.progress import track
from sklearn.pipeline import Pipeline

from level4_full.config.params import read_params
from level4_full.data import features as features_code
from level4_full.data.features import CATEGORICAL, NUMERIC, make_features
from level4_full.training import model as model_code
from level4_full.training import train as train_code
from level4_full.training.evaluate import log_losses
from level4_full.training.model import is_late
from level4_full.training.paired import Difference, paired_difference
from shared import base
from shared.base import StageError, replacing
from shared.cluster import spread
from shared.world.dataset import days, load_year
from shared.world.period import FIRST_DAY, LAST_DAY, LIVE

BACK = 28  # days before its cutoff for which a model's answers are kept too: what a refit says of the newest days

Change = Callable[[pd.DataFrame], pd.DataFrame]


@dataclass(frozen=True)
class Model:
    """A model by what it answers: no policy needs more."""

    name: str
    probability: np.ndarray  # of every flight of the year; NaN long before its training


@dataclass(frozen=True)
class Recipe:
    """What a model is trained on: all flights before a day, what became of them (None: nothing), and a seed."""

    before: date
    change: Change | None = None
    seed: int = 0

    @property
    def params(self) -> dict[str, Any]:
        """Return the hyperparameters."""
        return read_params().model.model_dump() | {"random_state": self.seed}

    @property
    def name(self) -> str:
        """Return a name that no other recipe has, nor this one with other code."""
        return f"{self.before}-{self.change.__name__ if self.change else 'plain'}-{_hash(self.params)}"


@dataclass
class Year:
    """The flights that arrived, in order of departure, with their labels; and models of any day."""

    table: pd.DataFrame
    cache: Path
    _models: dict[str, Model] = field(default_factory=dict)
    _ranges: dict[date, Any] = field(default_factory=dict)  # of the training data, by the day of the training

    @classmethod
    def read(cls) -> "Year":
        """Return the real year."""
        workspaces = base.WORKSPACES
        year = load_year(workspaces / "year")
        table = year.flights.reset_index().merge(year.outcomes, on="flight_id").dropna(subset="arrival_delay")
        table = table.sort_values(["scheduled_departure", "flight_id"], ignore_index=True)
        return cls(table, workspaces / "replica")

    @cached_property
    def day(self) -> np.ndarray:
        """Return the day of each flight, as a number from 0 on 1 January."""
        midnight = self.table["scheduled_departure"].dt.normalize()
        return (midnight - pd.Timestamp(FIRST_DAY)).dt.days.to_numpy()

    @cached_property
    def late(self) -> np.ndarray:
        """Return the label of each flight: whether it was late."""
        return is_late(self.table).to_numpy() == 1

    @cached_property
    def features(self) -> pd.DataFrame:
        """Return what the models see."""
        return pd.DataFrame(make_features(self.table))

    @property
    def live(self) -> Iterator[date]:
        """Yield the days that a policy answers."""
        return days(LIVE, LAST_DAY)

    def between(self, first: date, end: date) -> slice:
        """Return where the flights from `first` on and before `end` are."""
        numbers = [(day - FIRST_DAY).days for day in (first, end)]
        return slice(*np.searchsorted(self.day, numbers).tolist())

    def on(self, day: date) -> slice:
        """Return where the flights of a day are."""
        return self.between(day, day + timedelta(days=1))

    def out_of_range_share(self, trained_on: date, day: date) -> float:
        """Return the largest share, by column, of a day's flights that is outside the range of training data."""
        if trained_on not in self._ranges:
            past = self.table.iloc[self.between(FIRST_DAY, trained_on)]
            low, high = (past[NUMERIC].quantile(quantile) for quantile in (0.001, 0.999))
            self._ranges[trained_on] = low, high, {name: set(past[name]) for name in CATEGORICAL}
        low, high, known = self._ranges[trained_on]
        flights = self.table.iloc[self.on(day)]
        present = flights[NUMERIC].notna().sum()
        outside = (flights[NUMERIC].lt(low) | flights[NUMERIC].gt(high)).sum() / present
        return float(max(outside.max(), *(1 - flights[name].isin(known[name]).mean() for name in CATEGORICAL)))

    def losses(self, model: Model, where: slice) -> np.ndarray:
        """Return the log loss of a model on each of these flights."""
        return log_losses(model.probability[where], self.late[where])

    def excess(self, model: Model, other: Model, where: slice) -> Difference:
        """Return the excess log loss of a model over another one on these flights, clustered by day."""
        return paired_difference(self.losses(model, where) - self.losses(other, where), self.day[where])

    def model(self, before: date, change: Change | None = None, seed: int = 0) -> Model:
        """Return the model trained on all flights before a day, from the cache if it was trained before.

        Args:
            before: the first day that it was not trained on.
            change: what became of its training data, a named function; None: nothing.
            seed: of the training.
        """
        recipe = Recipe(before, change, seed)
        return self._kept(recipe.name, before, lambda: self.trained(recipe))

    def train_ahead(self, recipes: Sequence[Recipe]) -> None:
        """Train what is not in the cache yet, on the cluster if there is one: no training needs another one."""
        missing = {recipe.name: recipe for recipe in recipes if not self._path(recipe.name).exists()}
        done = spread(self.answers_of, list(missing.items()))
        for (name, _), answers in track(done, "models", total=len(missing)):
            self._keep(name, answers)

    def answers_of(self, named: tuple[str, Recipe]) -> np.ndarray:
        """Train a model and return what it answers; its name is what the recipe is called where it was asked for.

        Raises:
            StageError: it has another name here, since this worker has other code.
        """
        name, recipe = named
        if recipe.name != name:
            raise StageError(f"this worker has the code of {recipe.name}, and not of {name}: check out one commit")
        return self._answers(recipe.before, self.trained(recipe))

    def __reduce__(self) -> tuple[Any, ...]:
        """Send no year to a worker: it reads its own, once."""
        return _read_once, ()

    def baselines(self, before: date) -> list[Model]:
        """Return the baselines that a candidate must beat, trained on all flights before a day."""
        return [self._baseline(name, before) for name in ("mean", "time of day")]

    def _baseline(self, name: str, before: date) -> Model:
        def train() -> Pipeline:
            return train_code.train_baselines(self._past(before, None))[name]

        return self._kept(f"{before}-{name}-{_hash({})}", before, train)

    def _past(self, before: date, change: Change | None) -> pd.DataFrame:
        past = self.table.iloc[self.between(FIRST_DAY, before)]
        return change(past) if change else past

    def trained(self, recipe: Recipe) -> Pipeline:
        """Train a model."""
        return train_code.train(self._past(recipe.before, recipe.change), recipe.params)

    def _answers(self, before: date, model: Pipeline) -> np.ndarray:
        """Return what a model answers for each flight of the year; nothing long before its training."""
        first = self.between(before - timedelta(days=BACK), before).start
        answers = np.full(len(self.table), np.nan, dtype=np.float32)
        answers[first:] = model.predict_proba(self.features.iloc[first:])[:, 1]
        return answers

    def _path(self, name: str) -> Path:
        return self.cache / f"{name}.npy"

    def _keep(self, name: str, answers: np.ndarray) -> None:
        with replacing(self._path(name)) as part, part.open("wb") as file:
            np.save(file, answers)

    def _kept(self, name: str, before: date, train: Callable[[], Pipeline]) -> Model:
        """Return what a model answers, from the cache if it was trained before."""
        if name not in self._models:
            if not self._path(name).exists():
                self._keep(name, self._answers(before, train()))
            self._models[name] = Model(name, np.load(self._path(name)).astype(float))
        return self._models[name]


@cache
def _read_once() -> Year:
    return Year.read()


def _hash(params: dict[str, Any]) -> str:
    """Return a hash of all that a model depends on but its data."""
    sources = [Path(str(code.__file__)).read_bytes() for code in (features_code, model_code, train_code)]
    return hashlib.sha256(b"".join(sources) + repr(sorted(params.items())).encode()).hexdigest()[:8]
