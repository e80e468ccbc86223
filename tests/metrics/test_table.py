"""What was measured is kept, and measured again only if something that it depends on has changed."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from safetensors.numpy import load_file, save_file

from tests import blocks
from tests.blocks import adversarial, control, job, prepared, signed, write_recipe
from wgpipe.errors import UserError
from wgpipe.hashes import sha256
from wgpipe.metrics import table
from wgpipe.metrics.energy import Energy
from wgpipe.metrics.table import COLUMNS, Metrics, measure_block, write_measures
from wgpipe.metrics.w1 import W1
from wgpipe.recipe import Recipe
from wgpipe.train import files
from wgpipe.train import job as jobs
from wgpipe.train.evaluate import TrainedBlock
from wgpipe.train.job import Job

ENERGY: Metrics = [("energy", {"real": 40, "generated": 30})]
MARK = -7.0  # no energy distance is negative


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return prepared(tmp_path_factory.mktemp("surface"))


@pytest.fixture
def trained(data: Path, tmp_path: Path) -> Callable[..., tuple[Job, Path]]:
    """`trained(recipe)`: a job and the folder of its block."""

    def run(recipe: Recipe, **more: Any) -> tuple[Job, Path]:
        made = job(data, recipe, **more)
        return made, blocks.trained(made, tmp_path / made.recipe_name)

    return run


@pytest.fixture
def measured(trained: Callable[..., tuple[Job, Path]], monkeypatch: pytest.MonkeyPatch) -> tuple[Job, Path]:
    """A block that has been measured; from now on, whatever is measured anew gives MARK."""
    made, out = trained(control("gaussian"))
    assert MARK not in values(made, out)
    monkeypatch.setattr(Energy, "compare", lambda self, real, generated: MARK)
    return made, out


def values(made: Job, out: Path, metrics: Metrics = ENERGY, threads: int = 1) -> list[float]:
    rows = measure_block(made, out, metrics, threads)
    return [row[COLUMNS.index("value")] for row in rows]


def the_part(out: Path) -> Path:
    (part,) = (out / "metrics").iterdir()
    return part


def test_values_are_those_of_the_metric_for_each_member(trained: Callable[..., tuple[Job, Path]]) -> None:
    made, out = trained(control("empirical"))
    seen = TrainedBlock(made, out)
    metric = Energy(real=40, generated=30)
    expected = [metric.compare(x, y) for x, y in zip(seen.real(40), seen.generated(30), strict=True)]
    assert values(made, out) == expected


def test_what_was_measured_is_kept(measured: tuple[Job, Path], capsys: pytest.CaptureFixture[str]) -> None:
    made, out = measured
    capsys.readouterr()
    assert MARK not in values(made, out)
    assert capsys.readouterr().err == "surface-2in3 toy n=16 seeds 0-1: energy kept\n"


def test_other_settings_are_measured_and_both_are_kept(measured: tuple[Job, Path]) -> None:
    made, out = measured
    assert values(made, out, [("energy", {"real": 40, "generated": 31})]) == [MARK, MARK]
    assert MARK not in values(made, out)


def test_a_changed_generator_is_measured_again(measured: tuple[Job, Path]) -> None:
    made, out = measured
    state = load_file(out / files.GENERATOR)
    save_file({**state, "mean": state["mean"] + 1}, out / files.GENERATOR)
    with pytest.raises(UserError, match=r"generator\.safetensors is not what run\.json records; delete it"):
        values(made, out)
    signed(out)
    assert values(made, out) == [MARK, MARK]


def test_changed_code_of_the_metric_is_measured_again(
    measured: tuple[Job, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    made, out = measured
    monkeypatch.setattr(table, "metric_code", lambda name: f"{name}, edited")
    assert values(made, out) == [MARK, MARK]
    assert json.loads(the_part(out).read_text())["identity"]["code"] == "energy, edited"


def test_changed_code_of_what_is_drawn_is_measured_again(
    measured: tuple[Job, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A control's file stays the same when its dataset or its `draw` is edited; its sample does not."""
    made, out = measured
    monkeypatch.setattr(jobs, "training_code", lambda recipe, family: "edited")
    assert values(made, out) == [MARK, MARK]


def test_changed_data_and_threads_are_measured_again(measured: tuple[Job, Path]) -> None:
    made, out = measured
    changed = Job(**{**vars(made), "data_checksums": {"embedding": "0" * 64}})
    assert values(changed, out) == [MARK, MARK]
    assert values(changed, out, threads=2) == [MARK, MARK]


@pytest.mark.parametrize("content", ["", "{", "[]", "null", "{}", '{"identity": null}'])
def test_a_damaged_part_is_measured_again(content: str, measured: tuple[Job, Path]) -> None:
    made, out = measured
    the_part(out).write_text(content)
    assert values(made, out) == [MARK, MARK]


def test_a_part_with_another_number_is_measured_again(measured: tuple[Job, Path]) -> None:
    made, out = measured
    kept = json.loads(the_part(out).read_text())
    kept["measured"]["energy"][0][1] *= 1.001
    the_part(out).write_text(json.dumps(kept))
    assert values(made, out) == [MARK, MARK]


def test_a_critics_metric_follows_the_critic_and_the_others_do_not(trained: Callable[..., tuple[Job, Path]]) -> None:
    made, out = trained(adversarial())
    both: Metrics = [("critic", {"generated": 16, "steps": 0}), *ENERGY]
    before = by_quantity(measure_block(made, out, both, 1))
    state = load_file(out / files.CRITIC)
    save_file({name: 2 * value for name, value in state.items()}, out / files.CRITIC)
    signed(out)
    after = by_quantity(measure_block(made, out, both, 1))
    assert sum(before["lipschitz"]) < sum(after["lipschitz"])
    assert before["energy"] == after["energy"]
    assert before["sample_w1"] == after["sample_w1"]


def by_quantity(rows: list[table.Row]) -> dict[str, list[float]]:
    grouped = pd.DataFrame(rows, columns=list(COLUMNS)).groupby("metric")["value"]
    return {str(name): values.tolist() for name, values in grouped}


def test_a_control_has_no_critic_to_measure(trained: Callable[..., tuple[Job, Path]]) -> None:
    made, out = trained(control("oracle"))
    rows = measure_block(made, out, [("critic", {}), *ENERGY], 1)
    assert {row[COLUMNS.index("metric")] for row in rows} == {"energy"}


def test_the_table_of_a_pair_has_a_row_for_each_member_and_quantity(
    trained: Callable[..., tuple[Job, Path]], data: Path, tmp_path: Path
) -> None:
    recipe = adversarial("wgan", steps=200, critic_rate=1e30)
    folders = [trained(recipe, name="wild", n=n)[1] for n in (16, 20)]
    metrics = tmp_path / "rates.json"
    metrics.write_text(json.dumps({"energy": {"real": 20, "generated": 20}, "spread": {"real": 9, "generated": 9}}))
    again = tmp_path / "capacity.json"
    again.write_text(json.dumps({"energy": {"real": 20, "generated": 20}}))
    out = tmp_path / "measures" / "wild.parquet"
    write_measures(write_recipe(tmp_path, "wild", recipe), data, [metrics, again], folders, out, 1)
    rows = pd.read_parquet(out)
    assert tuple(rows) == COLUMNS
    assert len(rows) == len(rows.drop_duplicates(["n", "seed", "metric"])) == 2 * 2 * 2
    assert set(zip(rows["n"], rows["seed"], strict=True)) == {(16, 0), (16, 1), (20, 0), (20, 1)}
    facts = rows[["dataset", "dimension", "intrinsic", "recipe", "status"]].drop_duplicates().to_numpy().tolist()
    assert facts == [["surface-2in3", 3, 2.0, "wild", "diverged"]]
    assert set(rows["protocol"]) == {"energy[real=20,generated=20]", "spread[real=9,generated=9]"}
    assert np.isfinite(rows["value"]).all(), "the generator of a diverged member is its last finite one"


def test_the_record_names_the_code_of_each_metric_once(
    trained: Callable[..., tuple[Job, Path]], data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two studies may ask for the same metric with different settings."""
    monkeypatch.setattr(table, "metric_code", lambda name: f"code-of-{name}")
    studies = [tmp_path / "rates.json", tmp_path / "capacity.json"]
    for size, file in enumerate(studies, start=5):
        file.write_text(json.dumps({"spread": {"real": 9, "generated": 9}, "energy": {"real": size, "generated": 5}}))
    recipe = control("oracle")
    _, folder = trained(recipe, name="oracle")
    out = tmp_path / "oracle.parquet"
    write_measures(write_recipe(tmp_path, "oracle", recipe), data, studies, [folder], out, 1)
    record = json.loads(out.with_suffix(".json").read_text())
    assert record == {"code": "energy=code-of-energy spread=code-of-spread", "sha256": sha256(out)}
    assert set(pd.read_parquet(out)["protocol"]) == {
        "energy[real=5,generated=5]",
        "energy[real=6,generated=5]",
        "spread[real=9,generated=9]",
    }


def test_measuring_again_gives_the_same_bytes(
    trained: Callable[..., tuple[Job, Path]], data: Path, tmp_path: Path
) -> None:
    """With the kept parts and without them."""
    recipe = adversarial()
    _, folder = trained(recipe)
    metrics = tmp_path / "rates.json"
    metrics.write_text(json.dumps({"energy": {"real": 9, "generated": 9}, "critic": {"generated": 16, "steps": 3}}))
    tables = [tmp_path / f"{name}.parquet" for name in "abc"]
    for number, out in enumerate(tables):
        if number == 2:
            for part in (folder / "metrics").iterdir():
                part.unlink()
        write_measures(write_recipe(tmp_path, "toy", recipe), data, [metrics], [folder], out, 1)
    assert len({out.read_bytes() for out in tables}) == 1


def test_a_metric_of_a_generator_that_is_not_finite_is_missing(trained: Callable[..., tuple[Job, Path]]) -> None:
    made, out = trained(control("gaussian"))
    state = load_file(out / files.GENERATOR)
    state["mean"][1] = np.nan
    save_file(state, out / files.GENERATOR)
    signed(out)
    first, second = values(made, out, [("w1", {"real": 8, "generated": 8})])
    seen = TrainedBlock(made, out)
    assert first == W1().compare(seen.real(8)[0], seen.generated(8)[0])
    assert np.isnan(second)
    assert np.isnan(values(made, out, [("w1", {"real": 8, "generated": 8})])[1]), "and so it is when it was kept"
