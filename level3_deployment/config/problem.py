"""The problem: what a row of the data is, how it ends, and what is asked about it.

What is particular to flights is named here, beside `data/schema.py` (what a flight looks like) and
`data/features.py` (what a model sees of it); no other module knows a column.
"""

TITLE = "Will this flight arrive late?"
NAME = "flight-delays"  # of the model: in the registry, and in every prediction

# The upstream publishes two kinds of files, each into a folder of this name.
ROWS = "flights"  # what is known before the departure
OUTCOMES = "outcomes"  # how the flights ended
ID = "flight_id"
EXAMPLE = "2013-07-01-B6939-JFK"  # of an id
TIME = "scheduled_departure"
OUTCOME = "arrival_delay"  # minutes
OUTCOME_RANGE = -200, 3000  # beyond it, something is wrong with an outcome
LATE_MINUTES = 15  # the label: 1 where a flight arrived so many minutes late or more, else 0

BASELINE = "minute_of_day"  # the one feature that a baseline sees
SLICES = ["origin", "carrier"]  # beside the time of day: where a model is looked at by itself
WHO = ["carrier", "flight"]  # whom a row is about, and who may ask to be forgotten: here a flight number
BANNED = [ID, OUTCOME, "flight", "tailnum"]  # no feature is made from what comes afterwards or names somebody
ROUTED_BY = WHO  # who stays with one model throughout an A/B test
GROUP = "origin"  # flights of one airport share its weather: their labels come in clusters
