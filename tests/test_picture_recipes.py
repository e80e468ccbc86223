"""A network for images is refused before anything is trained where data or the penalty on a critic do not suit it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import edit_yaml
from wgpipe.cli import main

DCGAN: dict[str, Any] = {"name": "dcgan", "width": 2}
LAYER = {**DCGAN, "norm": "layer"}
MLP = {"name": "mlp", "hidden": [8]}
STUDY = "config/studies/vanilla_rates.yaml"

Check = Callable[..., tuple[int, str]]


@pytest.fixture
def check(project: Path, capsys: pytest.CaptureFixture[str]) -> Check:
    """`check(recipe, dataset)`: exit code and message of `wgpipe check` for a study of one recipe."""

    def run(recipe: dict[str, Any], dataset: str) -> tuple[int, str]:
        edit_yaml(project / "config/config.yaml", "studies", value=["vanilla_rates"])
        file = project / STUDY
        grid = [{"datasets": [dataset], "recipes": ["images"], "n": [32]}]
        changes = {"defaults": {}, "recipes": {"images": recipe}, "claims": {}, "scales": {"quick": {"grid": grid}}}
        for key, value in changes.items():
            edit_yaml(file, key, value=value)
        code = main(["check"])
        return code, capsys.readouterr().err

    return run


def recipe(generator: Any = DCGAN, critic: Any = LAYER, method: Any = "wgan", constraint: str = "gp") -> dict[str, Any]:
    return {
        "method": {"name": method} if isinstance(method, str) else method,
        "constraint": {"name": constraint},
        "generator": generator,
        "critic": critic,
    }


@pytest.mark.parametrize("dataset", ["mnist-14x14", "mnist-28x28", "cifar10-32x32", "digits"])
def test_images_are_accepted(check: Check, dataset: str) -> None:
    assert check(recipe(), dataset) == (0, "")


@pytest.mark.parametrize(
    "nets", [{"generator": DCGAN, "critic": MLP}, {"generator": MLP, "critic": LAYER}, {"generator": DCGAN}]
)
def test_points_that_are_no_images_are_refused(check: Check, nets: dict[str, Any]) -> None:
    code, said = check(recipe(**nets), "surface-2in8")
    assert code == 2
    assert said.count("\n") == 1
    assert (
        "scales.quick.grid: recipe 'images' on dataset 'surface-2in8': net 'dcgan': dimension 8 is that of no" in said
    )
    assert "accepted: side² (grey) or 3·side² (colour)" in said


def test_images_that_are_too_small_are_refused(check: Check) -> None:
    code, said = check(recipe(generator={"name": "resnet"}), "digits")
    assert code == 2
    assert "on dataset 'digits': net 'resnet': an image of 8×8 is too small; accepted: sides of 9 and more." in said


def test_both_networks_of_an_autoencoder_are_looked_at(check: Check) -> None:
    net = {"name": "autoencoder", "width": 2}
    began = {"name": "began", "codes": 7}
    code, said = check(recipe(generator=MLP, critic=net, method=began, constraint="none"), "surface-2in8")
    assert code == 2
    assert "net 'autoencoder': dimension" in said


@pytest.mark.parametrize("constraint", ["gp", "lp"])
def test_a_penalty_on_slopes_refuses_a_critic_that_normalises_batches(check: Check, constraint: str) -> None:
    code, said = check(recipe(critic=DCGAN, constraint=constraint), "mnist-14x14")
    assert code == 2
    assert "recipe 'images': critic 'dcgan' normalises batches" in said
    assert f"constraint '{constraint}' could bound; accepted: norm = layer or none." in said
    assert check(recipe(critic=DCGAN, constraint="none", method="vanilla"), "mnist-14x14") == (0, "")
