"""The problem: what a row of the data is, how it ends, and what is asked about it.

What is particular to flights is named here, beside `data/schema.py`, which says what a flight looks like.
"""

TITLE = "Will this flight arrive late?"

OUTCOMES = "outcomes"  # the folder of the files that say how flights ended
ID = "flight_id"
OUTCOME = "arrival_delay"  # minutes
