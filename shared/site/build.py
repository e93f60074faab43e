"""Build the site: assemble the pages in a temporary folder, run the generator, put the result in place."""

import json
import os
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import tomli_w

from .. import base
from ..base import StageError
from . import charts, claims
from .navigation import navigation
from .pages import assemble, documents, place

HERE = Path(__file__).parent
PICTURES = Path("elements", "mermaid", "dist")  # where the package nicegui has Mermaid
CHARTS = Path("package_data", "plotly.min.js")


def build() -> Path:
    """Build the site anew and return its folder; the one before stays until this one is whole."""
    base.WORKSPACES.mkdir(exist_ok=True)
    target = base.WORKSPACES / "site"
    with TemporaryDirectory(dir=base.WORKSPACES, prefix=".site-") as name:
        folder = Path(name)
        nav = navigation()
        assemble(folder / "pages", list(linked(nav)))
        add_scripts(folder / "pages" / "assets")
        configure(folder, placed(nav, documents()))
        generate(folder)
        shutil.rmtree(target, ignore_errors=True)
        (folder / "site").rename(target)
    return target


def linked(nav: Any) -> Iterator[str]:
    """Yield what a navigation leads to."""
    if isinstance(nav, str):
        yield nav
    elif isinstance(nav, dict | list):
        for entry in nav.values() if isinstance(nav, dict) else nav:
            yield from linked(entry)


def placed(nav: Any, read: list[str]) -> Any:
    """Return a navigation with the places on the site instead of the paths in the repository."""
    if isinstance(nav, dict):
        return {title: placed(entry, read) for title, entry in nav.items()}
    return [placed(entry, read) for entry in nav] if isinstance(nav, list) else place(nav, read)


def configure(folder: Path, nav: list[dict[str, Any]]) -> None:
    """Write the settings with the navigation."""
    settings = tomllib.loads((HERE / "zensical.toml").read_text())
    settings["project"] |= {"nav": nav, "docs_dir": "pages", "site_dir": "site"}
    (folder / "zensical.toml").write_text(tomli_w.dumps(settings))


def add_scripts(assets: Path) -> None:
    """Add our own scripts and the libraries that they load; both come from this machine."""
    shutil.copytree(HERE / "assets", assets)
    shutil.copytree(package("nicegui") / PICTURES, assets / "mermaid", ignore=shutil.ignore_patterns("*.map"))
    shutil.copy(package("plotly") / CHARTS, assets)
    board = json.loads((base.ROOT / "docs" / "scoreboard.json").read_text())
    for name, figure in charts.figures(board).items():
        (assets / f"{name}.json").write_text(figure.to_json())
    (assets / "matrix.json").write_text(json.dumps(claims.asked_by()))


def package(name: str) -> Path:
    """Return the folder of an installed package, which is not imported for that."""
    found = find_spec(name)
    if not found or not found.submodule_search_locations:
        raise StageError(f"the package {name} is not installed: run `make docs`")
    return Path(found.submodule_search_locations[0])


def generate(folder: Path) -> None:
    """Run the generator.

    Raises:
        StageError: it failed, or a link leads nowhere.
    """
    command = [sys.executable, "-m", "zensical", "build", "--strict"]
    plain = os.environ | {"NO_COLOR": "1"}
    done = subprocess.run(command, cwd=folder, env=plain, capture_output=True, text=True, check=False)
    if done.returncode:
        raise StageError(f"the site was not built:\n{done.stdout}{done.stderr}")
