"""Where each page of the site comes from: Markdown as it is, and what it links to as pages of their own.

All keep the paths that they have in the repository, so a link between two documents needs no change. A file that
is no document, such as a module, is shown on a page named after it; a folder is a list of its files.
"""

import re
import shutil
from pathlib import Path, PurePosixPath
from posixpath import normpath, relpath

from pygments.lexers import get_lexer_for_filename
from pygments.util import ClassNotFound

from ..base import ROOT, git, write_text
from ..levels.diffs import FOLDER as DIFFS
from ..levels.manifest import PROSE
from ..levels.notebook_text import as_text

AS_THEY_ARE = {".gif", ".html", ".json", ".png"}
MERMAID = "```mermaid\n"
UNSEARCHED = "---\nsearch:\n  exclude: true\n---\n\n"  # what repeats code would be found before what explains it
# What a page loads besides: large, or of use there only.
SCRIPTS = {
    "docs/scoreboard.md": ["plotly.min.js", "charts.js"],
    "docs/matrix.md": ["matrix.js"],
}
# Code comes first, so that nothing in it is taken for a link; what else there is to change follows.
PART = re.compile(
    r"(?P<code>^ *(?P<fence>`{3,}).*?^ *(?P=fence)$|`[^`\n]+`)"
    r"|\]\((?P<target>[^)#:\s]+)(?P<anchor>#[^)\s]*)?\)"
    r"|(?P<details><details>)"
    r"|(?P<comment>^<!--.*?-->$)",
    re.MULTILINE | re.DOTALL,
)
LINK_IN_HTML = re.compile(r"\.md(?=[\"`])")


def documents(root: Path = ROOT) -> list[str]:
    """Return the documents that people read, by path: all there is but the prose of the lessons."""
    found = [*root.glob("*.md"), *root.glob("level[0-9]_*/README.md"), *root.glob("docs/**/*.md")]
    paths = [path.relative_to(root) for path in found]
    return sorted(str(path) for path in paths if not path.is_relative_to(PROSE))


def assemble(folder: Path, also: list[str], root: Path = ROOT) -> None:
    """Write all pages to a folder: the documents, `also` what else is to be there, and whatever these link to."""
    read = documents(root)
    waiting = [*read, *also]
    done = set[str]()
    while waiting:
        name = waiting.pop()
        if name in done:
            continue
        done.add(name)
        if f"{name}/README.md" in read:
            continue  # a folder with a page of its own
        target = folder / place(name, read, root)
        target.parent.mkdir(parents=True, exist_ok=True)
        if Path(name).suffix == ".html":
            write_text(target, LINK_IN_HTML.sub(".html", (root / name).read_text()))
        elif Path(name).suffix in AS_THEY_ARE:
            shutil.copy(root / name, target)
        elif name in read or (root / name).is_dir():
            text = (root / name).read_text() if name in read else listing(name, root)
            write_text(target, rewritten(text, place(name, read, root), waiting, read, root))
        else:
            write_text(target, source(name, root))


def place(name: str, read: list[str], root: Path = ROOT) -> str:
    """Return where a file or a folder of the repository lies on the site, before the generator has run."""
    if (root / name).is_dir():
        return f"{name}/README.md"
    if name in read or Path(name).suffix in AS_THEY_ARE:
        return name
    return "/".join(part.lstrip(".") for part in f"{name}.md".split("/"))  # hidden files would be left out


def rewritten(text: str, here: str, linked: list[str], read: list[str], root: Path = ROOT) -> str:
    """Return Markdown as the generator takes it; add the paths that it links to."""

    def change(part: "re.Match[str]") -> str:
        if part["details"]:
            return '<details markdown="1">'  # else the generator takes all of it for HTML
        if part["comment"]:
            return ""
        if not part["target"]:
            return part[0]
        name = normpath(PurePosixPath(here).parent / part["target"])
        linked.append(name)
        return f"]({relpath(place(name, read, root), PurePosixPath(here).parent)}{part['anchor'] or ''})"

    hidden = UNSEARCHED if PurePosixPath(here).is_relative_to(DIFFS) else ""
    names = [*SCRIPTS.get(here, []), *(["mermaid.js"] if MERMAID in text else [])]
    assets = relpath("assets", PurePosixPath(here).parent)
    # Modules wait for the page; the others are told to.
    kinds = {name: 'type="module"' if name == "mermaid.js" else "defer" for name in names}
    scripts = [f'<script {kind} src="{assets}/{name}"></script>\n' for name, kind in kinds.items()]
    return "\n".join([hidden + PART.sub(change, text), *scripts])


def listing(name: str, root: Path = ROOT) -> str:
    """Return a page that lists the files of a folder."""
    files = git(root, "ls-files", "-z", name).strip("\0").split("\0")
    return "\n".join([f"# {name}", "", *(f"- [{relpath(file, name)}]({relpath(file, name)})" for file in files)])


def source(name: str, root: Path = ROOT) -> str:
    """Return a page that shows a file; a notebook is shown by its cells."""
    content = (root / name).read_bytes()
    notebook = Path(name).suffix == ".ipynb"
    text = as_text(content) if notebook else content.decode()
    fence = "`" * max([3, *(len(run) + 1 for run in re.findall("`+", text))])
    return f"{UNSEARCHED}# {name}\n\n{fence}{'python' if notebook else language(name)}\n{text.rstrip()}\n{fence}\n"


def language(name: str) -> str:
    """Return what highlights a file."""
    try:
        return str(get_lexer_for_filename(name).aliases[0])
    except ClassNotFound:
        return "text"
