"""The problem: what a row of the data is, how it ends, and what is asked about it.

What is particular to this project is named here, beside `data/schema.py` (what an instance looks like)«% if level > 1 %» and
`data/features.py` (what a model sees of it)«% endif %»; no other module knows a column. Lines marked `guess` were guessed from the
data this project started from: look at them.
"""

TITLE = "«title»"
«% if level > 1 %»
NAME = "«name»"  # of the model: in the registry, and in every prediction

# The upstream publishes two kinds of files, each into a folder of this name.
ROWS = "instances"  # what is known when the question is asked
OUTCOMES = "outcomes"  # how it ended
ID = "«id»"  # guess
«% if level > 2 %»
EXAMPLE = "«example[id]»"  # of an id
«% endif %»
TIME = "«time»"  # guess
OUTCOME = "«target»"
«% if kind == "binary" %»
OUTCOME_RANGE = 0, 1  # beyond it, something is wrong with an outcome
LABEL_FROM = 1  # the label: 1 where the outcome is so much or more, else 0
«% else %»
OUTCOME_RANGE = «outcome_range[0]», «outcome_range[1]»  # guess: beyond it, something is wrong with an outcome
LABEL_SCALE = «scale»  # guess: the usual deviation of the outcome; errors and limits are in units of it
«% endif %»

BASELINE = "«baseline or "weekday"»"  # guess: the one feature that a baseline sees
SLICES: list[str] = «slices»  # guess: beside the time of day, where a model is looked at by itself
WHO = ["«id»"]  # guess: whom a row is about, and who may ask to be forgotten
BANNED = [ID, OUTCOME]  # guess: no feature is made from what comes afterwards or names somebody
«% if level > 2 %»
ROUTED_BY = WHO  # guess: who stays with one model throughout an A/B test
«% endif %»
«% if level > 3 %»
DERIVED: dict[str, str] = «derived»  # guess: features that are watched too, and the column each comes from
RESTLESS: set[str] = set()  # statistics that jump from day to day though nothing is wrong, such as "mean «shown[0]»"
SHOWN = «shown»  # guess: in the reports for people
«% endif %»
«% else %»

OUTCOMES = "outcomes"  # the folder of the files that say how instances ended
ID = "«id»"  # guess
OUTCOME = "«target»"
«% endif %»
