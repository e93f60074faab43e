"""Versions from before the project certified its models: they have no package to serve, and nothing judges them."""

from . import history, models
from .lifecycle import State

WHY = "it was trained before models were certified"


def retire() -> None:
    """Refuse such versions, and have none of them be champion: the next one that is certified is the first."""
    champion = models.version_of(models.CHAMPION)
    for number in sorted({*history.undelivered(), *([champion] if champion else [])}):
        run = models.version(number).run_id
        if run and "judged" not in models.training_of(models.version(number)).tags:
            history.record(number, State.REFUSED, WHY)
            if number == champion:
                models.set_alias(models.CHAMPION, None)
