"""Make the moves of `delivery/promotion.py` that come in, a line each; print when each began and ended."""

import sys
import time

from . import module

promotion = module("delivery.promotion")

for line in sys.stdin:
    name, *arguments = line.split()
    began = time.monotonic()
    if name == "release":
        promotion.release(arguments[0], float(arguments[1]))
    else:
        getattr(promotion, name)("a test")
    print(began, time.monotonic(), flush=True)
