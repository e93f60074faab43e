"""The models that are asked for whatever comes out: trained first, as they need nothing of each other."""

from shared.world.bad_models import all_labels_flipped
from shared.world.dataset import days
from shared.world.period import FIRST_DAY, LAST_DAY, LIVE

from . import gates, nulls
from .year import Recipe, Year


def recipes(year: Year) -> list[Recipe]:
    """Return the recipes of every Monday's model, of the faulty ones, and of those with another seed."""
    mondays = [day for day in days(FIRST_DAY + gates.FOUR_WEEKS, LAST_DAY) if day.weekday() == 0]
    return [
        *(Recipe(day) for day in (LIVE, *mondays)),
        *(
            Recipe(day - gates.HELD_OUT, change)
            for day in gates.with_faults(year)
            for change, _ in gates.FAULTS.values()
        ),
        *(Recipe(day, all_labels_flipped) for day in nulls.with_bad_champions(year)),
        *(Recipe(day, seed=seed) for day in nulls.with_seeds(year) for seed in nulls.SEEDS),
    ]
