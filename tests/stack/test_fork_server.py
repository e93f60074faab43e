"""An interpreter that is started once runs scripts as one that is started for each of them."""

import os
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import cache_from_source
from pathlib import Path

import pytest
import rich

from shared.stack import fork_server
from shared.stack.stage import Stage, running

SCRIPT = """
import os, sys
print(os.getcwd(), sys.argv[1:], __name__)
open("written", "a").write("x")
{end}
"""


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("fork_server")
    fork_server.prepare(folder)
    process = subprocess.Popen([sys.executable, "-m", "shared.stack.fork_server", str(folder)])
    yield folder / "python"
    process.terminate()
    process.wait(timeout=20)


def run(python: Path, folder: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    path = f"{python.parent}{os.pathsep}{os.environ['PATH']}"
    command, environment = ["python", *arguments], os.environ | {"PATH": path}
    return subprocess.run(
        ["bash", "-c", '"$@"', "bash", *command],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def script(folder: Path, end: str = "") -> str:
    (folder / "script.py").write_text(SCRIPT.format(end=end))
    return "script.py"


def test_a_script_runs_where_it_was_started_with_its_arguments(python: Path, tmp_path: Path) -> None:
    for n in (1, 2):
        done = run(python, tmp_path, script(tmp_path), "a b", "c")
        assert done.returncode == 0, done.stderr
        assert f"{tmp_path} ['a b', 'c'] __main__" in done.stderr
        assert (tmp_path / "written").read_text() == "x" * n


@pytest.mark.parametrize(
    ("end", "code", "says"),
    [
        ("raise ValueError('no such column')", 1, "no such column"),
        ("sys.exit(3)", 3, ""),
        ("sys.exit('sorry')", 1, "sorry"),
        ("sys.exit()", 0, ""),
    ],
)
def test_a_script_that_fails_says_so(python: Path, tmp_path: Path, end: str, code: int, says: str) -> None:
    done = run(python, tmp_path, script(tmp_path, end))
    assert (done.returncode, says in done.stderr) == (code, True), done.stderr


def test_one_script_leaves_nothing_to_the_next(python: Path, tmp_path: Path) -> None:
    run(python, tmp_path, script(tmp_path, "import pandas; pandas.leftover = os.environ['LEFT'] = 'here'"))
    done = run(
        python,
        tmp_path,
        script(tmp_path, "import pandas; print(hasattr(pandas, 'leftover'), os.environ.get('LEFT'))"),
    )
    assert "False None" in done.stderr


def test_everything_else_is_the_real_one(python: Path, tmp_path: Path) -> None:
    done = run(python, tmp_path, "-c", "import sys; print(sys.executable)")
    assert Path(done.stdout.strip()) == Path(sys.executable).absolute()


def test_a_stage_hands_the_scripts_of_people_over(tmp_path: Path) -> None:
    stage = Stage(0, tmp_path / "stage", fork_server=True)
    (tmp_path / "script.py").write_text("import os; open('parent', 'w').write(str(os.getppid()))")
    with running(stage):
        stage.run(f"cd {tmp_path} && python script.py")
        started = {process.pid for process in stage.family(scripts=True)}
    assert int((tmp_path / "parent").read_text()) in started


def test_packages_are_compiled_when_they_are_installed() -> None:
    assert Path(cache_from_source(rich.__file__)).exists()
