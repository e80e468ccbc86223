"""Fixtures that several folders use."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
import yaml

from wgpipe import registry

ROOT = Path(__file__).parents[1]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests of a folder share its fixtures, hence one process; two processes run side by side.

    The longest folder comes first, and the benchmark's tests come last: they load JAX, whose threads a test that forks
    must not meet.
    """
    order = {"workflow": 0, "bench": 2}
    folders = {item: item.path.relative_to(ROOT / "tests").parts[0] for item in items}
    items.sort(key=lambda item: order.get(folders[item], 1))
    for item, folder in folders.items():
        item.add_marker(pytest.mark.xdist_group(folder))


@pytest.fixture(autouse=True)
def own_files(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a test's configuration registers of its own is not there for the next test."""
    monkeypatch.setattr(registry, "_own_files", {**registry._own_files})


@pytest.fixture(scope="session")
def mirror() -> Path:
    """The folder of local copies of downloads; tests that need it are skipped where there is none."""
    folder = Path(os.environ.get("WGPIPE_MIRROR", ROOT.parent / "shared" / "mirror"))
    if not folder.is_dir():
        pytest.skip("no mirror of downloads: set WGPIPE_MIRROR")
    return folder


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the configuration, as the current folder."""
    shutil.copytree(ROOT / "config", tmp_path / "config")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def edit_yaml(file: Path, *keys: str | int, value: object) -> None:
    """Set one value, deep inside a YAML file."""
    content = yaml.safe_load(file.read_text())
    place = content
    for key in keys[:-1]:
        place = place[key]
    place[keys[-1]] = value
    file.write_text(yaml.safe_dump(content, sort_keys=False))
