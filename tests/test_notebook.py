"""The notebook: small, run by nobody but people, and where the functions of the pipeline come from."""

import ast
import json
from pathlib import Path

import pytest

from level2_training.config import problem

from .conftest import ROOT

LEVELS = ["level0_notebook", "level1_devops"]
PIPELINE = ROOT / "level2_training"
WRITTEN_ANEW = {"load_table"}  # reads file by file: on one person's desk they all had the same types


def code_cells(level: str) -> list[str]:
    notebook = json.loads((ROOT / level / "flight_delays.ipynb").read_text())
    return ["".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "code"]


class ColumnsByName(ast.NodeTransformer):
    """Puts the names of columns where the pipeline has its constants for them."""

    def visit_Name(self, node: ast.Name) -> ast.expr:
        value = getattr(problem, node.id, None)
        return ast.Constant(value) if isinstance(value, str) else node


def functions(source: str) -> dict[str, str]:
    if source.startswith("%%"):
        return {}
    tree = ColumnsByName().visit(ast.parse(source))
    return {node.name: ast.unparse(node) for node in tree.body if isinstance(node, ast.FunctionDef)}


@pytest.mark.parametrize("level", LEVELS)
def test_a_notebook_is_short(level: str) -> None:
    assert len(code_cells(level)) <= 15
    assert (ROOT / level / "flight_delays.ipynb").stat().st_size < 150_000


@pytest.mark.parametrize("level", LEVELS)
def test_each_function_is_lifted_word_for_word_into_the_module_its_cell_names(level: str) -> None:
    """Only columns are named differently: in the pipeline, once for all (config/problem.py)."""
    lifted = 0
    for source in code_cells(level):
        for name, text in functions(source).items():
            module = PIPELINE / source.splitlines()[0].removeprefix("# ")
            lifted_as = functions(module.read_text()).get(name)
            assert lifted_as == text or (lifted_as and name in WRITTEN_ANEW), f"{name} differs in {module.name}"
            lifted += lifted_as == text
    assert lifted >= 6


def test_the_parameters_are_those_of_the_pipeline() -> None:
    import yaml

    settings = ast.parse(code_cells(LEVELS[0])[0])
    given: dict[str, object] = {}
    for node in settings.body:
        if isinstance(node, ast.Assign | ast.AugAssign) and isinstance(node.value, ast.Dict):
            given |= ast.literal_eval(node.value)
    assert given == yaml.safe_load((PIPELINE / "params.yaml").read_text())["model"]


@pytest.mark.slow
def test_running_the_notebook_leaves_a_model_and_a_script_nobody_versions(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import nbformat
    from nbclient import NotebookClient

    from shared.world.dataset import days, load_year
    from shared.world.incidents import publish
    from shared.world.period import FIRST_DAY, Period

    for name in ("IPYTHONDIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "MPLCONFIGDIR"):
        monkeypatch.setenv(name, str(tmp_path / "cache"))
    year = load_year(tmp_path / "year")
    for day in days(FIRST_DAY, Period.of("2013-03-01", 1).first):
        publish(year, day, tmp_path / "data")
    notebook = nbformat.read(ROOT / LEVELS[0] / "flight_delays.ipynb", 4)
    NotebookClient(notebook, resources={"metadata": {"path": str(tmp_path)}}).execute()
    assert (tmp_path / "model.pkl").exists()
    assert (tmp_path / "score.py").exists()
    pictures = [
        out for cell in notebook.cells for out in cell.get("outputs", []) if "image/png" in out.get("data", {})
    ]
    assert len(pictures) == 3
