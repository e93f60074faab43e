"""Retrain for an alarm of a day, as the daily check does."""

import sys

from . import module

act, alarm, decide, decisions, policy = map(
    module, ("monitoring.act", "monitoring.alarm", "monitoring.decide", "monitoring.decisions", "config.policy")
)

decision = decide.Decision(decisions.Action.RETRAIN, alarm.Alarm(alarm.Cause.PERFORMANCE, {}))
for event in act.act(sys.argv[1], decision, policy.read_policy()):
    print(event.text)
