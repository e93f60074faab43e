"""What becomes of a document, and whether the navigation leads to all of them."""

from pathlib import Path

import pytest

from shared.base import ROOT
from shared.levels.lessons import PAGES as STEPS
from shared.site.build import linked
from shared.site.navigation import navigation
from shared.site.pages import assemble, documents, rewritten

READ = ["README.md", "docs/house.md"]


def test_the_navigation_leads_to_every_document_and_nowhere_else() -> None:
    pages = list(linked(navigation()))
    assert sorted(page for page in pages if page.endswith(".md")) == documents()
    assert [page for page in pages if not (ROOT / page).exists()] == []


@pytest.mark.parametrize(
    ("text", "result", "leads_to"),
    [
        ("[the house](docs/house.md#rooms)", "[the house](docs/house.md#rooms)", ["docs/house.md"]),
        ("[`till`](shop/till.py)", "[`till`](shop/till.py.md)", ["shop/till.py"]),
        ("[hidden](shop/.ci/till.yml)", "[hidden](shop/ci/till.yml.md)", ["shop/.ci/till.yml"]),
        (f"[folder]({STEPS})", f"[folder]({STEPS}/README.md)", [str(STEPS)]),
        ("![gain](docs/decisions.png)", "![gain](docs/decisions.png)", ["docs/decisions.png"]),
        ("`[code](a.py)`", "`[code](a.py)`", []),
        ("```md\n[code](a.py)\n```", "```md\n[code](a.py)\n```", []),
        ("[elsewhere](https://example.com/a.py)", "[elsewhere](https://example.com/a.py)", []),
        ("<details><summary>x</summary>", '<details markdown="1"><summary>x</summary>', []),
    ],
    ids=["document", "module", "hidden", "folder", "picture", "in code", "in a block", "elsewhere", "details"],
)
def test_a_link_leads_to_a_page_of_the_site(text: str, result: str, leads_to: list[str]) -> None:
    linked_to = list[str]()
    assert rewritten(text, "README.md", linked_to, READ) == result
    assert linked_to == leads_to


def test_only_a_page_with_a_picture_loads_what_draws_it() -> None:
    picture = rewritten("```mermaid\nflowchart LR\n```\n", "docs/house.md", [], READ)
    assert 'src="../assets/mermaid.js"' in picture
    assert "script" not in rewritten("text\n", "docs/house.md", [], READ)


def test_what_a_page_links_to_has_a_page_too(tmp_path: Path) -> None:
    (tmp_path / "level1_shop").mkdir()
    (tmp_path / "README.md").write_text("[a](a.py) [b](level1_shop/README.md) [page](page.html)\n")
    (tmp_path / "a.py").write_text('"""Has ``` in it."""\n')
    (tmp_path / "level1_shop" / "README.md").write_text("[c](c.yaml)\n")
    (tmp_path / "level1_shop" / "c.yaml").write_text("c: 1\n")
    (tmp_path / "page.html").write_text('<a href="b.md">\n')
    site = tmp_path / "site"
    assemble(site, [], tmp_path)
    found = {str(path.relative_to(site)) for path in site.rglob("*.*")}
    assert found == {"README.md", "a.py.md", "level1_shop/README.md", "level1_shop/c.yaml.md", "page.html"}
    assert '\n````python\n"""Has ``` in it."""\n````\n' in (site / "a.py.md").read_text()
    assert 'href="b.html"' in (site / "page.html").read_text()
