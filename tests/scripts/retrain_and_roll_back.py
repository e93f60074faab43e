"""Retrain for an alarm, promote what came of it, and roll back."""

from datetime import date

from . import module

alarm, decide, daily_check, promotion, models, store, params = map(
    module,
    (
        "monitoring.alarm",
        "monitoring.decide",
        "monitoring.daily_check",
        "delivery.promotion",
        "registry.models",
        "monitoring.store",
        "config.params",
    ),
)

performance = alarm.Alarm(alarm.Cause.PERFORMANCE, {})
decision = decide.Decision(store.Action.RETRAIN, performance)
for event in daily_check.act("2013-07-05", decision, daily_check.read_policy()):
    print(event.text)
if not models.version_of(promotion.CHALLENGER):
    promotion.release("2", params.read_params().experiment)
promotion.promote("a test", date(2013, 7, 5))
promotion.rollback("a test")
