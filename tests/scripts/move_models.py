"""Make the moves of `delivery/promotion.py` that come in, a line each; print when each began and ended."""

import sys
import time
from datetime import date

from . import module

promotion, params = module("delivery.promotion"), module("config.params")

for line in sys.stdin:
    name, *arguments = line.split()
    began = time.monotonic()
    if name == "release":
        experiment = params.ExperimentParams(days=7, challenger_share=float(arguments[1]))
        promotion.release(arguments[0], experiment)
    elif name == "promote":
        promotion.promote("a test", date(2013, 7, 4))
    else:
        promotion.rollback("a test")
    print(began, time.monotonic(), flush=True)
