"""Retrain for an alarm, promote what came of it, and roll back."""

from datetime import date

from . import module

act, alarm, decide, decisions, promotion, models, params, policy = map(
    module,
    (
        "monitoring.act",
        "monitoring.alarm",
        "monitoring.decide",
        "monitoring.decisions",
        "delivery.promotion",
        "registry.models",
        "config.params",
        "config.policy",
    ),
)

performance = alarm.Alarm(alarm.Cause.PERFORMANCE, {})
decision = decide.Decision(decisions.Action.RETRAIN, performance)
for event in act.act("2013-07-05", decision, policy.read_policy()):
    print(event.text)
if not models.version_of(promotion.CHALLENGER):
    promotion.release("2", params.read_params().experiment)
promotion.promote("a test", date(2013, 7, 5))
promotion.rollback("a test")
