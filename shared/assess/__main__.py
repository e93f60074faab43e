"""The commands behind `make assess`."""

import argparse
import sys

from rich.console import Console

from ..stage import StageError, levels
from . import views
from .report import show, write, write_evidence
from .runner import assess, read_assessment, update


def main() -> None:
    """Parse the command line and run one command."""
    parser = argparse.ArgumentParser(prog="python -m shared.assess", description=__doc__)
    parser.add_argument("--level", type=int, help="this level only; the columns of all others stay as they are")
    arguments = parser.parse_args()
    console = Console(highlight=False)
    try:
        for level in [arguments.level] if arguments.level is not None else sorted(levels()):
            column, seconds, told = assess(
                level, lambda what, level=level: console.print(f"  level {level}: {what}")
            )  # type: ignore[misc]
            write_evidence(level, column, told)
            write(update(read_assessment(), level, column, seconds))
            views.write(read_assessment())
        show(read_assessment(), console)
    except StageError as error:
        sys.exit(str(error))
    except KeyboardInterrupt:
        sys.exit("\nended")


if __name__ == "__main__":
    main()
