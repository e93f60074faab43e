"""Make the moves of `delivery/promotion.py` that come in, a line each; print when each began and ended."""

import sys
import time
from datetime import date

from . import module

promotion = module("delivery.promotion")

for line in sys.stdin:
    name, *arguments = line.split()
    began = time.monotonic()
    if name == "release":
        promotion.release(arguments[0], float(arguments[1]))
    elif name == "promote":
        promotion.promote("a test", date(2013, 7, 4))
    else:
        promotion.rollback("a test")
    print(began, time.monotonic(), flush=True)
