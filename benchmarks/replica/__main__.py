"""Measure all that decides, or a policy of your own.

`python -m benchmarks.replica` writes docs/decisions.md, .json and .png; with the path of a file that has a
generator `policy`, it plays that one and prints its log loss.
"""

import json
import runpy
import sys

from shared.base import ROOT, write_text

from . import ahead, gates, nulls, play, plot, policies, triggers
from .page import page
from .year import Year


def main() -> None:
    """Play the policy of a file, or measure everything and write the page."""
    year = Year.read()
    if len(sys.argv) > 1:
        played = play.play(runpy.run_path(sys.argv[1])["policy"], year)
        print(json.dumps(play.compared(played, play.play(policies.level2, year)), indent=1))
        return
    year.train_ahead(ahead.recipes(year))
    played = play.play_all(year)
    results = {
        "policies": play.measure(played),
        "gates": gates.measure(year),
        "experiment": nulls.measure(year),
        "triggers": triggers.measure(year),
    }
    plot.draw(played).savefig(ROOT / "docs" / "decisions.png", dpi=110, metadata={"Software": None})
    write_text(ROOT / "docs" / "decisions.json", json.dumps(results, indent=1) + "\n")
    write_text(ROOT / "docs" / "decisions.md", page(results))


if __name__ == "__main__":
    main()
