"""Laws, standards and the revision of a model: each part names criteria that exist, or what cannot be run."""

import re

from shared.assessment.criteria.criteria import read_criteria
from shared.assessment.report import governance
from shared.assessment.report.models import read_views
from shared.assessment.report.record import read_assessment


def test_every_part_names_criteria_that_exist_and_what_cannot_be_run() -> None:
    for framework in governance.read_frameworks():
        for part in framework["parts"]:
            assert set(part["criteria"]) <= read_criteria().keys(), part["part"]
            assert part["cannot"], part["part"]


def test_dates_of_duties_name_their_source() -> None:
    for framework in governance.read_frameworks():
        if re.search(r"\b20\d\d\b", framework.get("dates", "")):
            assert "Article" in framework["dates"]
            assert framework["url"].startswith("https://")


def test_the_page_says_what_was_found() -> None:
    assert governance.PAGE.read_text() == governance.page(read_assessment()), "docs/governance.md: make assess"


def test_what_the_revision_of_2025_added_is_what_criteria_cite_as_added() -> None:
    added = read_views()["microsoft"]["revision"]["added"]
    listed = {(name, entry["level"]) for entry in added for name in entry["criteria"]}
    cited = {
        (criterion.id, int(source[4]))
        for criterion in read_criteria().values()
        for source in criterion.of("MS")
        if source.endswith("*")
    }
    assert cited <= listed
