"""The questions of `make where` as one page that works from a file, without a server and without the network."""

import json
from pathlib import Path

import yaml

from ...base import ROOT, write_text
from ..criteria.criteria import HERE

PAGE = ROOT / "docs" / "where.html"


def page() -> str:
    """Return the page: the template with the questions in it."""
    content = yaml.safe_load((HERE / "questions.yaml").read_text())
    data = json.dumps(content, ensure_ascii=False).replace("</", "<\\/")
    return Path(__file__).with_name("where.html").read_text().replace("/* QUESTIONS */ null", data)


def write() -> Path:
    """Write docs/where.html."""
    write_text(PAGE, page())
    return PAGE
