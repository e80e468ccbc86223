"""`wgpipe plan` counts what would be run, and says what is excluded, why, and what the rest costs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import edit_yaml
from wgpipe import registry
from wgpipe.cli import main
from wgpipe.grid import Block, Grid
from wgpipe.plan import pairs_of_points, plan_of, training_mb, training_seconds
from wgpipe.recipe import Recipe
from wgpipe.resolve import Resolved, resolve
from wgpipe.train.sizing import AUTOENCODERS

SMOKE = Path("config/smoke.yaml")
STUDY = Path("config/studies/vanilla_rates.yaml")
GRID = ("scales", "smoke", "grid")
BLOCKS = [Block("surface-2in8", "toy", n, tuple(range(8))) for n in (64, 128)]


@pytest.fixture
def planned(project: Path, capsys: pytest.CaptureFixture[str]) -> Any:
    """`planned(*arguments)`: what `wgpipe plan --json` prints for the smoke scale of one study, read back."""
    edit_yaml(Path("config/config.yaml"), "studies", value=[STUDY.stem])

    def plan(*arguments: str) -> dict[str, Any]:
        assert main(["plan", "--json", str(SMOKE), *arguments]) == 0
        content: dict[str, Any] = json.loads(capsys.readouterr().out)
        return content

    return plan


def recipe(**training: Any) -> Recipe:
    net = {"name": "mlp", "hidden": [64, 64]}
    return Recipe.model_validate({"method": {"name": "wgan"}, "generator": net, "critic": net, "training": training})


def test_runs_blocks_and_jobs_are_counted(planned: Any) -> None:
    grid = {"datasets": ["surface-2in8", "digits"], "recipes": ["vanilla-lp", "wgan-lp"], "n": [32, 64, 128]}
    edit_yaml(STUDY, *GRID, value=[grid])
    edit_yaml(STUDY, "controls", value=["oracle"])
    plan = planned("--set", "seeds=[0-3]")
    assert plan["scale"] == "smoke"
    assert plan["blocks"] == 2 * (2 + 1) * 3 * 2, "datasets x recipes and controls x n x slots of two seeds"
    assert plan["runs"] == 2 * plan["blocks"]
    assert plan["blocks_by_recipe"] == {"oracle": 12, "vanilla-lp": 12, "wgan-lp": 12}
    jobs = {"fetch": 1, "prepare": 2, "train": 12, "measure": 6, "study": 1, "claims": 1, "ranking": 1}
    assert plan["jobs"] == {**jobs, "all": sum(jobs.values())}
    assert plan["exclusions"] == []


def test_exclusions_come_with_their_reasons(planned: Any) -> None:
    planted = {"families": ["sphere", "cube"], "intrinsic": [2], "ambient": [1, 4]}
    edit_yaml(STUDY, *GRID, value=[{"planted": planted, "recipes": ["wgan-lp"], "n": [32]}])
    plan = planned()
    reason = "dataset 'sphere-2in2' does not exist: a sphere of dimension 2 needs d > 2."
    assert plan["exclusions"] == [{"study": "vanilla_rates", "dataset": "sphere-2in2", "reason": reason}]
    assert plan["jobs"]["prepare"] == 3


def test_the_text_says_the_same_as_the_json(planned: Any, capsys: pytest.CaptureFixture[str]) -> None:
    edit_yaml(STUDY, *GRID, 0, "datasets", value=["torus-1in1", "torus-1in2"])
    plan = planned()
    assert main(["plan", str(SMOKE)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"scale smoke: {plan['runs']} runs in {plan['blocks']} blocks"
    assert lines[1].startswith(f"jobs: {plan['jobs']['all']} (0 fetch, 1 prepare, {plan['jobs']['train']} train, ")
    assert lines[2].startswith(f"core-hours, predicted: {plan['core_hours']['all']:.2f} (")
    assert f"  wgan-lp: {plan['blocks_by_recipe']['wgan-lp']} blocks" in lines
    assert lines[-2] == "exclusions: 1"
    assert (
        lines[-1].strip() == "vanilla_rates: dataset 'torus-1in1' does not exist: a torus of dimension 1 needs d > 1."
    )


def test_planning_writes_nothing(planned: Any, project: Path) -> None:
    before = sorted(project.rglob("*"))
    planned()
    assert sorted(project.rglob("*")) == before


def test_core_hours_add_up_and_grow_with_the_grid(planned: Any) -> None:
    small = planned()["core_hours"]
    large = planned("--set", "seeds=[0-199]")["core_hours"]
    assert small["all"] == pytest.approx(sum(small[kind] for kind in ("train", "measure", "study")), abs=0.002)
    assert large["train"] == pytest.approx(100 * small["train"], rel=0.05)
    assert large["measure"] > small["measure"]
    assert large["study"] == small["study"]


def control(name: str) -> Recipe:
    return Recipe.model_validate({"method": {"name": name}})


def test_training_costs_its_steps_points_members_and_widths_and_a_control_almost_nothing() -> None:
    base = training_seconds(recipe(steps=1000), BLOCKS)
    of_control = training_seconds(control("oracle"), BLOCKS)
    start = 2 * base - training_seconds(recipe(steps=2000), BLOCKS)
    assert 0 < of_control < start < base
    assert training_seconds(recipe(steps=1000, critic_steps=5), BLOCKS) - start > 2 * (base - start)
    assert training_seconds(recipe(steps=1000, batch=1024), BLOCKS) > base
    wide = [Block("digits", "toy", block.n, block.seeds) for block in BLOCKS]
    assert training_seconds(recipe(steps=1000), wide) > base


def test_blocks_that_train_together_share_the_start_of_a_process() -> None:
    together = training_seconds(recipe(steps=1000), BLOCKS)
    apart = [training_seconds(recipe(steps=1000), [block]) for block in BLOCKS]
    assert max(apart) < together < sum(apart)


def test_networks_for_images_cost_their_convolutions_and_both_parts_of_a_critic() -> None:
    blocks = [Block("mnist-28x28", "images", 64, (0, 1))]

    def images(name: str = "dcgan", method: str = "wgan", width: int = 16, critic: Any = None) -> Recipe:
        net = {"name": name, "width": width}
        content = {"method": {"name": method}, "generator": net, "critic": critic or net}
        return Recipe.model_validate({**content, "training": {"steps": 1000}})

    base = training_seconds(images(), blocks)
    assert training_seconds(images(width=32), blocks) > 2 * base
    assert training_seconds(images(), [Block("mnist-14x14", "images", 64, (0, 1))]) < base / 2
    assert training_mb(images(width=64), blocks) > training_mb(images(width=16), blocks)
    encoder = images("autoencoder", method="wgan")
    assert training_seconds(images("autoencoder", method="began"), blocks) > 1.3 * training_seconds(encoder, blocks)
    assert training_mb(images("autoencoder", method="began"), blocks) > training_mb(encoder, blocks) + 30


def test_the_codes_of_autoencoders_are_the_methods_own() -> None:
    for name, codes in AUTOENCODERS.items():
        assert registry.load("method", name)().codes == codes


def test_memory_grows_with_the_members_their_samples_and_the_batch_and_a_control_needs_less() -> None:
    base = training_mb(recipe(), BLOCKS)
    assert training_mb(recipe(), BLOCKS[:1]) < base < training_mb(recipe(batch=1024), BLOCKS)
    large = [Block("surface-2in8", "toy", 10**6, block.seeds) for block in BLOCKS]
    points = sum(block.n * len(block.seeds) for block in large)
    assert training_mb(recipe(), large) - base > 0.99 * points * 8 * 12 / 2**20, "float64 and float32"
    assert 0 < training_mb(control("oracle"), BLOCKS) < base


@pytest.mark.parametrize(
    ("name", "dataset", "copies"),
    [
        ("oracle", "surface-2in8", False),
        ("empirical", "surface-2in8", True),
        ("empirical", "digits", False),
        ("gaussian", "digits", True),
    ],
)
def test_controls_are_priced_by_whether_they_copy_their_sample(name: str, dataset: str, copies: bool) -> None:
    small, large = (training_mb(control(name), [Block(dataset, name, n, (0, 1))]) for n in (1000, 1_000_000))
    assert (large > 2 * small) == copies
    assert copies or large == small


def test_a_run_of_two_studies_is_planned_once(project: Path) -> None:
    one = resolve([Path("config/config.yaml"), SMOKE], {"studies": [STUDY.stem]})
    study = one.studies["vanilla_rates"]
    two = Resolved(
        one.config, {"a": study, "b": study}, one.recipes, {"a": one.metrics["vanilla_rates"], "b": {"w1": {}}}
    )
    plan, both = plan_of(Grid(one)), plan_of(Grid(two))
    assert both["blocks"] == plan["blocks"]
    assert both["jobs"] == {**plan["jobs"], "study": 2, "all": plan["jobs"]["all"] + 1}
    assert both["core_hours"]["train"] == plan["core_hours"]["train"]


@pytest.mark.parametrize(
    ("settings", "pairs"),
    [
        ({}, 4096 * 4096),
        ({"real": 100, "generated": 50}, 5000),
        ({"real": 100, "generated": 50, "points": {"ring-8": 20}}, 400),
        ({"real": 100, "generated": 50, "points": {"grid-25": 20}}, 5000),
        ({"points": 30}, 900),
        ({"real": 100, "generated": 50, "datasets": ["ring-8"]}, 5000),
        ({"real": 100, "generated": 50, "datasets": ["grid-25"]}, 0),
    ],
)
def test_a_metric_is_priced_by_the_points_that_it_compares(settings: dict[str, Any], pairs: int) -> None:
    assert pairs_of_points(settings, "ring-8") == pairs
