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
GROUP = "origin"  # flights of one airport share its weather: labels come in clusters, and feeds fail one by one
# Stations report the weather of a group hourly: how many values of one column a day has says whether they do.
REPORTED = "temp"
NOT_REPORTED = ["distance"]  # numbers that come from no station
DERIVED = {BASELINE: TIME}  # features that are watched too, and the column each comes from
# In heavy rain and on still days these jump a lot from one day to the next, and nothing is wrong.
RESTLESS = {"mean precip", "mean wind_gust", "missing wind_gust", "mean wind_dir", "missing wind_dir"}
SHOWN = ["temp", "humid", "wind_speed"]  # in the reports for people
