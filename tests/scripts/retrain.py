"""Retrain for an alarm of a day, as the daily check does."""

import sys

from . import module

alarm, decide, daily_check, store = map(
    module, ("monitoring.alarm", "monitoring.decide", "monitoring.daily_check", "monitoring.store")
)

decision = decide.Decision(store.Action.RETRAIN, alarm.Alarm(alarm.Cause.PERFORMANCE, {}))
for event in daily_check.act(sys.argv[1], decision, daily_check.read_policy()):
    print(event.text)
