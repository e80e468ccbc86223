"""A fingerprint changes with the code that an entry reaches, and with nothing else."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest

from wgpipe import registry
from wgpipe.audit import fingerprint as audit
from wgpipe.errors import UserError

FILES = {
    "__init__.py": '"""A package."""\n__version__ = "1.0"\n',
    "shared.py": "FACTOR = 2\n",
    "unrelated.py": "NUMBER = 5\n",
    "methods/__init__.py": "from toy.shared import FACTOR\n",
    "methods/x.py": (
        '"""Method x."""\n\n'
        "from __future__ import annotations\n\n"
        "from typing import TYPE_CHECKING\n\n"
        "from . import FACTOR\n\n"
        "if TYPE_CHECKING:\n"
        "    from toy.unrelated import NUMBER\n\n\n"
        "def loss(value: float) -> float:\n"
        '    """The loss."""\n'
        '    text = """two\nlines"""\n'
        "    return value * FACTOR + len(text)  # scaled\n"
    ),
    "methods/y.py": "def loss(value):\n    from ..lazy import late\n\n    return late(value)\n",
    "lazy.py": "import toy.deep.leaf\n\n\ndef late(value):\n    return toy.deep.leaf.one(value)\n",
    "deep/__init__.py": "",
    "deep/inner/__init__.py": "",
    "deep/leaf.py": "from toy import lazy\n\n\ndef one(value):\n    return value, lazy\n",
}


@pytest.fixture
def toy(tmp_path: Path) -> Path:
    package = tmp_path / "toy"
    for name, text in FILES.items():
        file = package / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return package


def edit(file: Path, old: str, new: str) -> None:
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))
    state = file.stat()
    os.utime(file, ns=(state.st_atime_ns, state.st_mtime_ns + 1_000_000))


def of(package: Path, entry: str) -> str:
    return audit.fingerprint([f"toy.{entry}"], package=package)


def reached(package: Path, *entries: str | Path) -> list[str]:
    return [file.relative_to(package).as_posix() for file in audit.closure(entries, package)]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("  # scaled", ""),
        ("  # scaled", "  # type: ignore[operator]"),
        ('"""The loss."""', '"""Another docstring."""'),
        ('    """The loss."""\n', ""),
        ('"""Method x."""\n', ""),
        ("def loss(value: float) -> float:\n", "def loss(\n    value: float,\n) -> float:\n\n"),
        ("value * FACTOR + len", "(value*FACTOR) + len"),
        ("from toy.unrelated import NUMBER", "from toy.lazy import late"),
        ("if TYPE_CHECKING:\n    from toy.unrelated import NUMBER\n", ""),
    ],
)
def test_edits_without_influence_change_nothing(toy: Path, old: str, new: str) -> None:
    before = of(toy, "methods.x")
    edit(toy / "methods/x.py", old, new)
    assert of(toy, "methods.x") == before


@pytest.mark.parametrize(
    ("old", "new"),
    [("value * FACTOR", "value + FACTOR"), ("two", "three"), ("value: float", "value: int"), ("def loss", "def gain")],
)
def test_an_edit_of_the_code_changes_the_fingerprint(toy: Path, old: str, new: str) -> None:
    before = of(toy, "methods.x")
    edit(toy / "methods/x.py", old, new)
    assert of(toy, "methods.x") != before


def test_line_endings_change_nothing(toy: Path) -> None:
    before = of(toy, "methods.x")
    file = toy / "methods/x.py"
    file.write_bytes(file.read_bytes().replace(b"\n", b"\r\n"))
    assert of(toy, "methods.x") == before


def test_the_version_of_the_package_changes_nothing(toy: Path) -> None:
    before = of(toy, "methods.x")
    edit(toy / "__init__.py", "1.0", "1.1")
    assert of(toy, "methods.x") == before


def test_a_copy_in_another_folder_has_the_same_fingerprint(toy: Path, tmp_path: Path) -> None:
    copy = tmp_path / "elsewhere" / "toy"
    copy.parent.mkdir()
    before = of(toy, "methods.x")
    toy.rename(copy)
    assert of(copy, "methods.x") == before


def test_editing_one_method_leaves_the_other(toy: Path) -> None:
    x, y = of(toy, "methods.x"), of(toy, "methods.y")
    edit(toy / "methods/x.py", "* FACTOR", "/ FACTOR")
    assert (of(toy, "methods.x") != x, of(toy, "methods.y") != y) == (True, False)


def test_editing_a_shared_module_reaches_all_that_import_it(toy: Path) -> None:
    x, y, leaf = of(toy, "methods.x"), of(toy, "methods.y"), of(toy, "deep.leaf")
    edit(toy / "shared.py", "2", "3")
    assert (of(toy, "methods.x") != x, of(toy, "methods.y") != y, of(toy, "deep.leaf") != leaf) == (True, True, False)


def test_the_name_of_a_module_counts(toy: Path) -> None:
    twin = toy / "twin.py"
    twin.write_text(FILES["shared.py"])
    hashes = audit.file_hashes(["toy.shared", "toy.twin"], toy)
    assert hashes[twin] != hashes[toy / "shared.py"]


def test_closure_follows_absolute_relative_and_late_imports_and_cycles(toy: Path) -> None:
    shared = ["__init__.py", "methods/__init__.py"]
    assert reached(toy, "toy.methods.x") == [*shared, "methods/x.py", "shared.py"]
    assert reached(toy, "toy.methods.y") == sorted(
        [*shared, "methods/y.py", "shared.py", "lazy.py", "deep/__init__.py", "deep/leaf.py"]
    )
    assert reached(toy, "toy.deep.leaf") == reached(toy, "toy.lazy")


def test_closure_holds_every_package_around_an_entry(toy: Path) -> None:
    assert reached(toy, "toy.deep.inner") == ["__init__.py", "deep/__init__.py", "deep/inner/__init__.py"]


def test_the_branch_that_runs_beside_type_checking_is_followed(toy: Path) -> None:
    edit(toy / "methods/x.py", "import NUMBER\n", "import NUMBER\nelse:\n    import toy.lazy as NUMBER\n")
    assert "lazy.py" in reached(toy, "toy.methods.x")
    assert "unrelated.py" not in reached(toy, "toy.methods.x")


def test_the_order_of_entries_and_repeats_change_nothing(toy: Path) -> None:
    x, y = "toy.methods.x", toy / "methods/y.py"
    assert audit.fingerprint([x, y], package=toy) == audit.fingerprint([y, x, y], package=toy)


def test_a_file_and_its_module_name_are_the_same_entry(toy: Path) -> None:
    assert audit.fingerprint([toy / "methods/x.py"], package=toy) == of(toy, "methods.x")


def test_a_file_outside_the_package_is_followed_into_it(toy: Path, tmp_path: Path) -> None:
    mine = tmp_path / "mine.py"
    mine.write_text("from toy.shared import FACTOR\nfrom . import neighbour\nimport neighbour2\n")
    before = audit.fingerprint([mine], package=toy)
    assert audit.closure([mine], toy) == (mine, toy / "__init__.py", toy / "shared.py")
    edit(toy / "shared.py", "2", "3")
    assert audit.fingerprint([mine], package=toy) != before


def test_hashes_say_which_file_has_changed(toy: Path) -> None:
    before = audit.file_hashes(["toy.methods.y"], toy)
    edit(toy / "lazy.py", "one(value)", "one(-value)")
    after = audit.file_hashes(["toy.methods.y"], toy)
    assert [file for file in after if after[file] != before[file]] == [toy / "lazy.py"]


def test_versions_count_and_their_local_labels_do_not(toy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def with_torch(version: str) -> str:
        monkeypatch.setattr(metadata, "version", lambda _: version)
        audit._version.cache_clear()
        return audit.fingerprint(["toy.shared"], ["torch"], toy)

    assert with_torch("2.1") == with_torch("2.1+cpu")
    assert len({with_torch("2.1"), with_torch("2.2"), of(toy, "shared")}) == 3
    monkeypatch.undo()
    audit._version.cache_clear()


@pytest.mark.parametrize(
    ("entry", "sentence"),
    [
        ("toy.methods.z", r"module 'toy\.methods\.z' is unknown; did you mean 'toy\.methods\.[xy]'\?"),
        (Path("absent.py"), r"absent\.py is not a file"),
    ],
)
def test_an_unknown_entry_is_named(toy: Path, entry: str | Path, sentence: str) -> None:
    with pytest.raises(UserError, match=sentence):
        audit.fingerprint([entry], package=toy)


def test_a_file_that_is_not_python_is_named_with_its_line(toy: Path, tmp_path: Path) -> None:
    mine = tmp_path / "mine.py"
    mine.write_text("x = 1\ndef broken(:\n")
    with pytest.raises(UserError, match=r"mine\.py is not valid Python: .*line 2"):
        audit.fingerprint([mine], package=toy)


def test_a_missing_distribution_is_named(toy: Path) -> None:
    with pytest.raises(UserError, match="'no-such-distribution' is not installed"):
        audit.fingerprint(["toy.shared"], ["no-such-distribution"], toy)


def test_of_this_package_a_net_reaches_what_it_builds_on_and_no_method() -> None:
    found = {registry.module_of(file) for file in audit.closure([registry.file_of("net", "spectral")])}
    assert {"wgpipe", "wgpipe.nets", "wgpipe.nets.spectral", "wgpipe.nets.mlp", "wgpipe.registry"} <= found
    assert not {name for name in found if name.startswith("wgpipe.methods")}


def test_fingerprints_of_the_whole_package_import_neither_torch_nor_numpy() -> None:
    code = (
        "import sys\n"
        "from wgpipe.audit.fingerprint import PACKAGE, fingerprint\n"
        "print(fingerprint(sorted(PACKAGE.rglob('*.py')), ['torch', 'numpy', 'pot']))\n"
        "print([name for name in ('torch', 'numpy', 'pydantic') if name in sys.modules])\n"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    printed = run.stdout.splitlines()
    assert printed[0] == audit.fingerprint(audit.PACKAGE.rglob("*.py"), ["pot", "numpy", "torch"])
    assert printed[1] == "[]"
