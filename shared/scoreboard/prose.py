"""The prose of the scoreboard's page; figures that the code has are filled in."""

HEAD = """\
# The same year at every level

The real flights of {first} to {last}, with the same incidents, simulated at every level. Written by

```sh
make scoreboard
```

All figures are also in [scoreboard.json](scoreboard.json); one that *waits* comes with the next simulation of the
year. What depends on people depends on the assumptions in
[assumptions.yaml](../shared/simulation/assumptions.yaml); where a cell has two figures, the second is without
anybody after the first model.
"""

GAIN = """\
![what each level gained over level {base}](scoreboard-gain.png)

What each level gained since March over level {base}, whose models people make by hand. The unit is what it is
worth to know how a flight will end, when otherwise only the year's share of late flights is known: a gain of a
thousand is as good as a thousand flights foretold. The band is two standard errors to each side, clustered by
week: while it holds the zero, the level is no better and no worse than level {base}, as far as this can tell.
"""

QUALITY = """\
The levels differ by little, and one year has few independent weeks: each difference is a mean over the flights
that both levels answered, with a standard error clustered by week (Cameron and Miller 2015, [A Practitioner's
Guide to Cluster-Robust Inference](https://doi.org/10.3368/jhr.50.2.317)). Below zero is better; with t between
-{measurable:g} and {measurable:g} chance may have made it. *After a shift*: the six weeks from {shifts} in the
calm year, both taken together.
"""

SCALE = """\
What these differences are small or large against, in the calm year. The first two know what nobody knows
beforehand. Refits are level 4's training without all the rest, from [a replica of the year](decisions.md).
"""

DORA = """\
Definitions as DORA gives them in 2026, for one application whose model changes: a *deployment* is a model or an
application that gets all traffic. *Lead time*: from a model's training to all traffic (median). *Fail rate*:
share of the models that were worse than the one they replaced, on the same flights of their first {days} days,
whichever served (log loss of both, replayed on the real input, error clustered by day, one-sided test at
{chance:.0%}); *improvement rate*: the same for better. Their placebo is the test itself: of releases that
change nothing it calls at least {chance:.0%} worse, and as many better. *Recovery time*: from a failed
deployment to the next that did not fail. *Rework*: share of deployments that people made because of trouble,
and returns to an earlier model. Frequency and lead time are throughput; fail and rework rate are instability.
DORA warns against comparing applications by them: these are five stories about one. No bands are given.
"""

IMPACT = """\
Each incident is counted from its first day until the next one begins, so what lingers after it is counted to
it. Flights that were not published can be asked about by nobody, and count for no level. Harm goes two ways.

*Through inputs*: after the last day every model answers all flights once more, from the input as it really was.
What the level had answered differs from that only by what went wrong in between. A cell gives the outcome, the
day somebody or something noticed, the flights not answered or moved by more than {moved}, the log loss that
this cost on the days when it was on, and when it touched less than a fiftieth of a day's flights, for good. The
placebo of this count is nought: the scoreboard is written only if in the calm year replay and answers are the
same. *Prevented*: it was refused; or the machine noticed, and there was no harm. *No harm*: less than
{fewest:.1%} of the flights, and models that were not worse.
"""

MODELS = """\
*Through models*: the log loss of the models that served, on the real input, less that of the calm year on the
same flights; the error is clustered by day. Two flawless years that differ in the day of a training differ too:
the placebo, in brackets, is the calm year with every release {later} days later. The last row counts the
incidents whose models were worse by more than {measurable:g} errors, and in brackets those of the placebo.
"""
