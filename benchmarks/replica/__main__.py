"""Measure all that decides: `python -m benchmarks.replica` writes docs/decisions.md and docs/decisions.json."""

import json

from shared.base import ROOT, write_text

from . import gates, nulls
from .page import page
from .year import Year


def main() -> None:
    """Measure, and write both files."""
    year = Year.read()
    results = {"gates": gates.measure(year), "experiment": nulls.measure(year)}
    write_text(ROOT / "docs" / "decisions.json", json.dumps(results, indent=1) + "\n")
    write_text(ROOT / "docs" / "decisions.md", page(results))


if __name__ == "__main__":
    main()
