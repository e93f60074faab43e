"""The rooms: a picture for the README of each level, laid out alike, and a table of all steps."""

from pathlib import Path

from ..base import ROOT
from ..markdown import table
from .arrows import Package
from .manifest import number, read_arrows, read_rooms, read_steps, room_of

BEGIN, END = "<!-- rooms: written by `make diffs` -->", "<!-- end of rooms -->"
NOTEBOOK = "flight_delays.ipynb"
STYLES = {
    "added": "fill:#1b7f4d,color:#ffffff,stroke:#1b7f4d",
    "changed": "fill:#cfe8ff,color:#000000,stroke:#4477aa",
    "same": "fill:#f4f4f4,color:#000000,stroke:#999999",
    "absent": "fill:none,color:#bbbbbb,stroke:#dddddd,stroke-dasharray:4",
}
FAINT = "stroke:#e5e5e5"
WORDS = {"added": "**new**", "changed": "changed", "same": "same"}
LEGEND = (
    "Green: new at this level. Blue: changed. Grey: byte for byte as below. Faint: not there. A room imports\n"
    "only what lies below it along the arrows; `daily.py` and `__main__.py` bring the rooms together."
)


def documents(root: Path = ROOT) -> dict[Path, str]:
    """Return each README with its rooms, by path; a README without a place for them is left out."""
    pages = {}
    for path in [root / "README.md", *sorted(root.glob("level[0-9]_*/README.md"))]:
        before, begin, rest = path.read_text().partition(BEGIN) if path.exists() else ("", "", "")
        if begin:
            shown = (
                overview(root)
                if path.parent == root
                else f"```mermaid\n{picture(path.parent, root)}```\n\n{LEGEND}"
            )
            pages[path.relative_to(root)] = f"{before}{BEGIN}\n{shown}\n{END}{rest.partition(END)[2]}"
    return pages


def overview(root: Path = ROOT) -> str:
    """Return a table: each room, what it is for, and what each step makes of it."""
    steps = read_steps(root)
    changes = [{room.room: room.change for room in step.rooms} for step in steps]
    rows = [
        [f"`{room}/`", purpose, *(WORDS.get(change.get(room, ""), "") for change in changes)]
        for room, purpose in read_rooms(root).items()
    ]
    return table(["room", "what it is for", *(f"level {number(step.above)}" for step in steps)], rows)


def picture(level: Path, root: Path = ROOT) -> str:
    """Return the picture of a level: the same rooms in the same places at every level, each as it is there."""
    arrows = read_arrows("level", root)
    used = Package(level, arrows).used()
    lines = ["flowchart TD"]
    lines += [f"  {room}[{room}]:::{state}" for room, state in states(level, root).items()]
    edges = [(room, below) for room in arrows for below in arrows[room]]
    lines += [f"  {room} --> {below}" for room, below in edges]
    faint = [str(n) for n, edge in enumerate(edges) if edge not in used]
    if faint:
        lines.append(f"  linkStyle {','.join(faint)} {FAINT}")
    lines += [f"  classDef {state} {style}" for state, style in STYLES.items()]
    return "\n".join(lines) + "\n"


def states(level: Path, root: Path = ROOT) -> dict[str, str]:
    """Return what the step to this level makes of each room, and of the notebook, which stands in none.

    It is `added`, `changed`, `same` or `absent`.
    """
    arrows = read_arrows("level", root)
    rooms = {room_of(str(path.relative_to(level)), arrows) for path in level.rglob("*.py")}
    steps = {step.above: step for step in read_steps(root)}
    changes = {room.room: room.change for room in steps[level.name].rooms} if level.name in steps else {}
    found = {room: changes.get(room, "added") if room in rooms else "absent" for room in arrows}
    notebook = "changed" if number(level.name) != "0" else "added"
    return {"notebook": notebook if (level / NOTEBOOK).exists() else "absent"} | found
