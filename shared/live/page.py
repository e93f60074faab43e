"""The live page: `python -m shared live 4` serves it for a stage that runs, on loopback."""

import asyncio
import os
import sys

from nicegui import app, ui

from ..base import StageError
from ..demo import journal
from ..demo.play import is_playing
from ..stack.stage import Stage
from ..world.incidents import MOVABLE
from . import story
from .own_pages import HOSTS, OwnPagesOnly

MOST_DAYS = 30  # to play at once
MOST_EVENTS = 40  # shown
SECONDS = 1.0  # between two looks at the journal
STYLE = """
body { font-size: 1.05rem } .q-card { width: 100% } .charts { display: grid; gap: 1rem; width: 100% }
.chart { height: 11rem }
@media (min-width: 900px) { .charts { grid-template-columns: 1fr 1fr } .chart { height: 16rem } }
"""


def serve(stage: Stage, port: int) -> None:
    """Serve the page until the process is told to end."""
    app.add_middleware(OwnPagesOnly)
    ui.run(
        lambda: Page(stage).build(),
        host=HOSTS[0],
        port=port,
        title=f"level {stage.number}, live",
        favicon="✈",
        dark=None,  # as the reader's system has it
        show=False,
        reload=False,
        show_welcome_message=False,
    )


class Page:
    """What one browser shows of the stage."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.shown = -1  # days of the journal
        self.starts = False  # to play, which takes seconds

    def build(self) -> None:
        """Build the page, and look at the journal from then on."""
        ui.add_css(STYLE)
        dark = ui.dark_mode(None)
        with ui.row().classes("w-full items-center"):
            self.day = ui.label().classes("text-4xl font-bold").props("role=heading aria-level=1")
            self.state = ui.badge().classes("text-base")
            ui.space()
            ui.button(icon="contrast", on_click=lambda: dark.set_value(not dark.value)).props(
                "flat round aria-label='dark or light'"
            )
        self.trouble = ui.label().classes("w-full text-xl p-3 rounded bg-red-700 text-white").props("role=alert")
        with ui.element("div").classes("charts"):
            with ui.card():
                ui.label("Who answers: share of each day's flights").classes("text-xl")
                self.shares = ui.echart(story.shares_chart([])).classes("chart")
            with ui.card():
                ui.label("How well: log loss by day, lower is better").classes("text-xl")
                self.losses = ui.echart(story.losses_chart([])).classes("chart")
                self.quality = ui.column().classes("gap-0")
            with ui.card():
                ui.label("What happened").classes("text-xl")
                self.events = ui.column().classes("gap-1 max-h-80 overflow-auto w-full")
            self._build_controls()
        ui.timer(SECONDS, self.look)
        self.look()

    def _build_controls(self) -> None:
        with ui.card():
            ui.label("Play on").classes("text-xl")
            with ui.row().classes("items-end"):
                self.days = ui.number("days", value=3, min=1, max=MOST_DAYS, precision=0).classes("w-20")
                choices = {"": "no trouble"} | {incident.id: incident.story for incident in MOVABLE.values()}
                self.incident = ui.select(choices, value="", label="trouble in the feed").classes("w-72")
                self.play = ui.button("play", on_click=self.play_on)
            ui.label("Look inside").classes("text-xl")
            with ui.row():
                for name, address in self.stage.description["addresses"].items():
                    ui.link(name, self.stage.fill(address), new_tab=True)

    def look(self) -> None:
        """Show what the journal has now."""
        playing = self.starts or is_playing(self.stage)
        self.state.set_text("playing" if playing else "waiting")
        self.play.set_enabled(not playing)
        days = list(journal.read(self.stage.workspace))
        if len(days) == self.shown:
            return
        self.shown = len(days)
        self.day.set_text(f"level {self.stage.number} · {days[-1].day if days else 'no day has been played yet'}")
        incidents = days[-1].incidents if days else []
        self.trouble.set_text("; ".join(incidents))
        self.trouble.set_visibility(bool(incidents))
        landed = days[:-1]  # outcomes come a day later
        for chart, options in ((self.shares, story.shares_chart(days)), (self.losses, story.losses_chart(landed))):
            chart.options.clear()
            chart.options.update(options)
            chart.update()
        _fill(self.quality, [str(quality) for quality in story.qualities(landed)])
        _fill(self.events, [f"{day[5:]}  {text}" for day, text in story.events(days)[:MOST_EVENTS]])

    async def play_on(self) -> None:
        """Play days with or without trouble, as `make drift` does; show why if it cannot be."""
        days, trouble = min(MOST_DAYS, max(1, int(self.days.value or 1))), self.incident.value or "none"
        command = ["-m", "shared", "traffic", str(self.stage.number), "--days", str(days), "--incidents", trouble]
        self.starts = True
        self.look()
        done = await asyncio.create_subprocess_exec(
            sys.executable, *command, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE
        )
        _, errors = await done.communicate()
        self.starts = False
        if done.returncode:
            why = errors.decode().strip().splitlines() or ["it was stopped"]
            ui.notify(why[-1], type="negative", multi_line=True)


def _fill(column: ui.column, lines: list[str]) -> None:
    column.clear()
    with column:
        for line in lines:
            ui.label(line)


def port_of(stage: Stage) -> int:
    """Return the port of the page.

    Raises:
        StageError: nothing says which; it is served by `make levelN`.
    """
    if "LIVE_PORT" not in os.environ:
        raise StageError(f"the live page comes with the stage: make level{stage.number}")
    return int(os.environ["LIVE_PORT"])
