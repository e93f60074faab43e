"""What is written to the terminal, and a bar for what takes long."""

import sys

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

# A file or a pipe is no terminal whose width could be asked for: there, no line is cut.
WIDE = 10_000
console = Console(highlight=False, width=None if sys.stdout.isatty() else WIDE)


def progress_bar() -> Progress:
    """Return a bar of days."""
    columns = TextColumn("  {task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
    return Progress(*columns, console=console)
