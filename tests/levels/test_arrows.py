"""Rooms and arrows: no import that the manifest does not allow, no circle, and serving stays light."""

from pathlib import Path

import pytest

from shared.levels.arrows import Package
from shared.levels.manifest import read_arrows

from ..conftest import ROOT

LEVELS = sorted(path.name for path in ROOT.glob("level[1-9]_*"))
ARROWS = {"shop": ["store"], "store": ["box"], "box": []}
FILES = {
    "__init__.py": "",
    "__main__.py": "from .shop.till import pay\n",
    "errors.py": "",
    "box/__init__.py": "",
    "box/lid.py": "from ..errors import BoxError\n",
    "store/__init__.py": "",
    "store/shelf.py": "import json\nfrom ..box.lid import open_lid\nfrom . import label\n",
    "store/label.py": "",
    "shop/__init__.py": "",
    "shop/till.py": "from ..box import lid\nfrom ..store.shelf import put\n",
    "tests/test_till.py": "from ..shop import till\n",
}


def packages() -> list[Package]:
    levels = [Package(ROOT / level, read_arrows("level")) for level in LEVELS]
    return [*levels, Package(ROOT / "shared", read_arrows("shared"))]


@pytest.fixture
def package(tmp_path: Path) -> Package:
    """Make a small package whose imports are as its arrows allow."""
    for name, text in FILES.items():
        (tmp_path / "house" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "house" / name).write_text(text)
    return Package(tmp_path / "house", ARROWS)


@pytest.mark.parametrize("package", packages(), ids=lambda package: package.root.name)
def test_rooms_import_only_what_lies_below_them(package: Package) -> None:
    assert package.problems() == []


def test_imports_along_the_arrows_are_no_problem(package: Package) -> None:
    assert package.problems() == []
    assert package.used() == {("shop", "box"), ("shop", "store"), ("store", "box")}


@pytest.mark.parametrize(
    ("file", "text", "problem"),
    [
        (
            "box/lid.py",
            "from ..shop.till import pay\n",
            "house/box/lid.py, line 1, imports shop.till, but `box` may import no other room",
        ),
        (
            "store/label.py",
            "def late():\n    from ..shop import till\n",
            "house/store/label.py, line 2, imports shop.till, but `store` may import box",
        ),
        (
            "store/label.py",
            "from .. import shop\n",
            "house/store/label.py, line 1, imports shop, but `store` may import box",
        ),
        ("store/label.py", "from .shelf import put\n", "house: store.label and store.shelf import each other"),
        (
            "store/label.py",
            "def late():\n    from .shelf import put\n",
            "house: store.label and store.shelf import each other",
        ),
        (
            "garden.py",
            "",
            "house/garden.py stands in no room: move it, or add one to docs/levels.yaml",
        ),
    ],
    ids=[
        "up",
        "up, hidden in a function",
        "a whole room",
        "a circle",
        "a circle, hidden in a function",
        "no room",
    ],
)
def test_an_import_that_should_not_be_is_named(package: Package, file: str, text: str, problem: str) -> None:
    (package.root / file).write_text(text)
    assert problem in package.problems()


def serving_environment() -> set[str]:
    """Return the names that can be imported where nothing is installed but what serves."""
    libraries = ROOT / ".venv-serving" / "lib"
    if not libraries.exists():
        pytest.skip("the serving environment is not installed: make .venv-serving/.installed")
    return {path.stem for folder in libraries.glob("python*/site-packages") for path in folder.iterdir()}


@pytest.mark.parametrize("level", [level for level in LEVELS if (ROOT / level / "serving/service.py").exists()])
@pytest.mark.parametrize("module", ["serving.service", "delivery.benchmark"])
def test_what_serves_imports_nothing_that_its_environment_lacks(level: str, module: str) -> None:
    package = Package(ROOT / level, read_arrows("level"))
    on_demand = {"psycopg"}  # the group `postgresql`, where the prediction log is on a server
    assert package.foreign(module, serving_environment() | on_demand) == []


def test_an_import_that_the_serving_environment_lacks_is_named(package: Package) -> None:
    (package.root / "box/lid.py").write_text("def late():\n    import pandas as pd\n")
    assert package.foreign("shop.till", {"numpy"}) == ["house/box/lid.py, line 2, imports pandas"]
    assert package.foreign("shop.till", {"pandas"}) == []
    assert package.foreign("store.label", {"numpy"}) == []
