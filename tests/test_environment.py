"""pyproject.toml, requirements.lock and environment.yml name the same software."""

from __future__ import annotations

import tomllib
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
RUNTIME = [Requirement(text) for text in PROJECT["dependencies"]]
EXTRAS = [Requirement(text) for extra in PROJECT["optional-dependencies"].values() for text in extra]
CONDA = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
CPYTHON_311 = {"python_version": "3.11", "python_full_version": "3.11.9", "platform_python_implementation": "CPython"}


def pinned(requirement: Requirement) -> Version:
    (pin,) = requirement.specifier
    assert pin.operator == "=="
    return Version(pin.version)


def lock(environment: Mapping[str, str] | None = None) -> dict[str, set[Version]]:
    """Versions of each distribution in the lock, of all Pythons and platforms or of one environment."""
    found = defaultdict(set)
    for line in (ROOT / "requirements.lock").read_text(encoding="utf-8").splitlines():
        if line and not line.startswith(("#", " ", "-")):
            requirement = Requirement(line.removesuffix("\\"))
            if environment is None or requirement.marker is None or requirement.marker.evaluate(dict(environment)):
                found[canonicalize_name(requirement.name)].add(pinned(requirement))
    return found


def conda_pip() -> dict[str, Version]:
    (pip,) = (entry["pip"] for entry in CONDA["dependencies"] if isinstance(entry, dict))
    return {canonicalize_name(pin.name): pinned(pin) for pin in map(Requirement, pip)}


@pytest.mark.parametrize("dependency", RUNTIME + EXTRAS, ids=lambda dependency: dependency.name)
def test_the_lock_holds_every_dependency_inside_its_range(dependency: Requirement) -> None:
    versions = lock()[canonicalize_name(dependency.name)]
    assert versions
    assert all(version in dependency.specifier for version in versions)


@pytest.mark.parametrize("dependency", RUNTIME, ids=lambda dependency: dependency.name)
def test_conda_has_every_runtime_dependency_at_the_version_of_the_lock(dependency: Requirement) -> None:
    name = canonicalize_name(dependency.name)
    assert {conda_pip()[name]} == lock(CPYTHON_311)[name]


def test_conda_has_nothing_that_the_project_does_not_ask_for() -> None:
    assert conda_pip().keys() == {canonicalize_name(dependency.name) for dependency in RUNTIME}


def test_the_python_of_conda_is_one_that_the_project_accepts() -> None:
    (python,) = (entry for entry in CONDA["dependencies"] if str(entry).startswith("python="))
    accepted = Requirement(f"python{PROJECT['requires-python']}").specifier
    assert python == f"python={CPYTHON_311['python_version']}"
    assert CPYTHON_311["python_full_version"] in accepted


def test_torch_and_torchvision_are_a_matching_pair() -> None:
    assert (lock()["torch"], lock()["torchvision"]) == ({Version("2.14.1")}, {Version("0.29.1")})


def test_snakemake_finds_the_script_that_installs_the_package() -> None:
    script = ROOT / "environment.post-deploy.sh"
    assert script.with_suffix("").with_suffix(".yml").is_file()
    assert "install --no-deps --editable ." in script.read_text(encoding="utf-8")
