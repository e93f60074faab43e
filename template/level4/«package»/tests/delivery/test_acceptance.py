"""The report of the tests: what passed, what failed and why, and which package it is about."""

import sys
from pathlib import Path

import pytest

from ...delivery import acceptance
from ...delivery.acceptance import read_report, run_tests

REPORT = """<?xml version="1.0"?><testsuites><testsuite>
<properties><property name="package" value="abc" /></properties>
<testcase name="test_one" />
<testcase name="test_two"><failure message="assert 1 == 2&#10;more">...</failure></testcase>
<testcase name="test_three"><skipped message="no need" /></testcase>
<testcase name="test_four"><error message="no fixture">...</error></testcase>
</testsuite></testsuites>"""


def test_a_report_is_read(tmp_path: Path) -> None:
    (tmp_path / "tests.xml").write_text(REPORT)
    report = read_report(tmp_path / "tests.xml")
    assert (report.package, report.passed) == ("abc", 1)
    assert report.failed == ["test_two (assert 1 == 2)", "test_four (no fixture)"]


@pytest.mark.parametrize("body", ["assert True", "assert False"])
def test_tests_are_run_and_what_fails_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, body: str) -> None:
    tests = tmp_path / "level" / "tests"
    tests.mkdir(parents=True)
    (tests / "test_it.py").write_text(
        "import os, pytest\n"
        "def test_it(record_testsuite_property):\n"
        "    record_testsuite_property('package', os.environ['RELEASE_DIGEST'])\n"
        f"    {body}\n"
        "@pytest.mark.slow\n"
        "def test_of_no_release():\n"
        "    assert False\n"
    )
    monkeypatch.setattr(acceptance, "PACKAGE", tmp_path / "level")
    monkeypatch.setattr(acceptance, "TESTS", ["test_it.py"])
    monkeypatch.setenv("PYTEST_ADDOPTS", "--of-whoever-tests-something-else")
    monkeypatch.setenv("STAGE", str(tmp_path))
    report = run_tests(tmp_path, "abc", tmp_path / "tests.xml")
    assert report.package == "abc"
    assert (report.passed, len(report.failed)) == ((1, 0) if body == "assert True" else (0, 1))


def test_tests_that_did_not_run_have_not_passed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")
    monkeypatch.setenv("STAGE", str(tmp_path))
    report = run_tests(tmp_path, "abc", tmp_path / "tests.xml")
    assert report.failed
    assert not report.passed
