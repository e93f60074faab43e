"""What runs outside Python runs with macOS's tools too: bash 3.2, GNU make 3.81, and sed, grep and awk of BSD."""

import re

import pytest

from shared.base import git

from .conftest import ROOT

# What they lack or read otherwise: as a pattern, with an example that it has to find.
LACKING = {
    r"\.ONESHELL|\.SHELLFLAGS|\$\(file |&:": ".ONESHELL:",
    r"^\w+ *(!=|:::?=)": "NOW != date",
    r"\$\{\w+(,,|\^\^|@\w\})": "${name,,}",
    r"\b(mapfile|readarray|coproc|declare -A|local -n|wait -n)\b": "mapfile -t lines",
    r"&>>|\|&": "run &>> log",
    r"\bsed -i(?! '')|\bgrep -\w*P|\bxargs -r": "sed -i s/a/b/ file",
    r"\breadlink -f|\bdate -d|\bstat -c|\b(head|tail) -n -": "readlink -f file",
    r"\bsed\b.*\\[tn]": r"sed 's/a/\t/'",
    r"\b(md5sum|sha256sum|nproc|tac|realpath)\b": "nproc",
}


def scripts() -> list[str]:
    """Return the Makefile, and what a shell runs."""
    names = git(ROOT, "ls-files", "-z").split("\0")[:-1]
    shell = [name for name in names if re.match(rb"#!.*\bsh|#!.*\bbash", (ROOT / name).read_bytes()[:40])]
    conf = [name for name in names if name.endswith(("/supervisord.conf", "/HUMAN_STEPS.yaml"))]
    return ["Makefile", *shell, *conf]


@pytest.mark.parametrize("name", scripts())
def test_a_script_needs_nothing_that_macos_lacks(name: str) -> None:
    text = (ROOT / name).read_text()
    found = [found[0] for pattern in LACKING for found in re.finditer(pattern, text, re.MULTILINE)]
    assert not found


@pytest.mark.parametrize(("pattern", "example"), LACKING.items(), ids=LACKING.values())
def test_what_is_lacking_is_found(pattern: str, example: str) -> None:
    assert re.search(pattern, example, re.MULTILINE)
