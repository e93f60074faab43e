"""Check production with a policy by which any harm at all is too much."""

from . import module

daily_check = module("monitoring.daily_check")

policy = daily_check.read_policy()
strict = policy.rollback.model_copy(update={"min_flights": 1, "max_excess_log_loss": -1, "t_threshold": -1000})
harsh = policy.model_copy(update={"rollback": strict})
daily_check.read_policy = lambda: harsh
for event in daily_check.check("2013-07-04", False):
    print(event.text)
