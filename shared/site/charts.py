"""The pictures of the scoreboard as charts to zoom and to point at, from the same figures, in the same colours."""

from collections.abc import Iterator
from datetime import date
from typing import Any

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from ..scoreboard.compare import BASE
from ..scoreboard.plots import COLOURS, MARKS, YEARS, course

SYMBOLS = {"^": "triangle-up", "v": "triangle-down", "|": "line-ns", ".": "circle"}
GRID = "rgba(128, 128, 128, 0.25)"  # on white and on black
LAYOUT = {
    "template": "none",
    "paper_bgcolor": "rgba(0, 0, 0, 0)",
    "plot_bgcolor": "rgba(0, 0, 0, 0)",
    "margin": {"l": 60, "r": 10, "t": 30, "b": 10},
    "legend": {"orientation": "h", "y": -0.08},
}


def figures(board: dict[str, Any]) -> dict[str, go.Figure]:
    """Return the charts, by the name of the picture whose place they take."""
    charts = {"scoreboard-gain": _gain(board), "scoreboard-timeline": _timeline(board)}
    for chart in charts.values():
        chart.update_layout(**LAYOUT)
        chart.update_xaxes(range=board["period"], gridcolor=GRID, tickformat="%b", hoverformat="%d %b")
        chart.update_yaxes(gridcolor=GRID, zerolinecolor=COLOURS[int(BASE)])
    return charts


def _gain(board: dict[str, Any]) -> go.Figure:
    """Return what each level gained over the base until each week, with twice its error; a panel for each year."""
    figure = make_subplots(
        rows=len(YEARS), shared_yaxes="all", subplot_titles=list(YEARS.values()), vertical_spacing=0.1
    )
    for row, year in enumerate(YEARS, 1):
        for number, gained in sorted(board["gains"].items()):
            for trace in _gains(number, *course(gained[year], board["scale"]["constant"])):
                figure.add_trace(trace.update(showlegend=trace.showlegend and row == 1), row=row, col=1)
        _mark_incidents(figure, board, year == "year", row=row, col=1)
    figure.update_yaxes(title=f"gain over level {BASE}, in flights")
    return figure.update_layout(height=760, hovermode="x unified")


def _gains(number: str, ends: list[date], gain: Any, band: Any) -> Iterator[go.Scatter]:
    """Yield the line of a level and the band around it; the legend shows and hides both at once."""
    colour, name = COLOURS[int(number)], f"level {number}"
    yield go.Scatter(
        x=[*ends, *reversed(ends)],
        y=[*(gain + band).round(), *reversed((gain - band).round())],
        **{"fill": "toself", "fillcolor": colour, "opacity": 0.2, "line": {"width": 0}, "hoverinfo": "skip"},
        **{"legendgroup": name, "showlegend": False},
    )
    yield go.Scatter(
        x=ends,
        y=gain.round(),
        customdata=band.round(),
        hovertemplate="%{y:,} ± %{customdata:,}",
        **{"name": name, "legendgroup": name, "showlegend": True, "mode": "lines", "line": {"color": colour}},
    )


def _timeline(board: dict[str, Any]) -> go.Figure:
    """Return the trainings, releases and alarms of each level as marks on a line."""
    figure, numbers = go.Figure(), list(board["levels"])
    for name, (mark, colour, above) in MARKS.items():
        days = [(day, int(n)) for n in numbers for day in board["levels"][n]["timeline"].get(name, [])]
        figure.add_scatter(
            x=[day for day, _ in days],
            y=[number + above for _, number in days],
            name=name,
            hovertemplate=f"%{{x}}: {name}<extra></extra>",
            mode="markers",
            marker={"symbol": SYMBOLS[mark], "color": colour, "size": 7, "line": {"color": colour, "width": 1.5}},
        )
    _mark_incidents(figure, board, injected=True)
    names = [f"level {n}" for n in numbers]
    figure.update_yaxes(tickvals=[int(n) for n in numbers], ticktext=names, zeroline=False)
    figure.update_yaxes(range=[-0.6, len(numbers) + 0.2])  # above the last level, the incidents have their names
    return figure.update_layout(height=460)


def _mark_incidents(figure: go.Figure, board: dict[str, Any], injected: bool, **place: int) -> None:
    """Shade the days of each incident; those that are injected only on demand."""
    first, last = board["period"]
    for name, incident in board["incidents"].items():
        if incident["last"] < first or incident["first"] > last or not (injected or incident["natural"]):
            continue
        colour = COLOURS[2] if incident["natural"] else MARKS["alarm"][1]
        text = {"layer": "below", "annotation_text": name, "annotation_textangle": -90, "annotation_font_size": 9}
        figure.add_vrect(
            incident["first"], incident["last"], fillcolor=colour, opacity=0.15, line_width=0, **text, **place
        )
