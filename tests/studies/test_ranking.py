import json

import numpy as np
import pandas as pd
import pytest

from wgpipe.recipe import Recipe
from wgpipe.studies.ranking import build_ranking, score_table

NET = {"name": "mlp", "hidden": [64, 64]}
LP = {"name": "lp", "weight": 2}
RECIPES = {
    "wgan-lp": {"method": {"name": "wgan"}, "constraint": LP, "generator": NET, "critic": NET},
    "wgan-lp_32": {
        "method": {"name": "wgan"},
        "constraint": LP,
        "generator": {**NET, "hidden": [32, 32]},
        "critic": NET,
    },
    "vanilla-lp": {"method": {"name": "vanilla"}, "constraint": LP, "generator": NET, "critic": NET},
    "gmmn": {"method": {"name": "gmmn"}, "generator": NET},
    "critic-lp": {"method": {"name": "wgan"}, "constraint": LP, "critic": NET},
    "oracle": {"method": {"name": "oracle"}},
}
SCALE = {"wgan-lp": 1.0, "wgan-lp_32": 5.0, "vanilla-lp": 1.5, "gmmn": 2.0, "critic-lp": 0.1, "oracle": 0.1}
FILES = ("ranking.csv", "pairwise.csv", "cells.csv", "ranking.tex", "ranking.md", "critical_difference.pdf")
FIGURES = ("critical_difference.svg", "critical_difference.png")


def measured(datasets=("a", "b"), ns=(32, 64, 128), seeds=8, protocol="w1[real=512]"):
    stream = np.random.default_rng(4)
    rows = [
        (dataset, recipe, n, seed, "ok", "w1", SCALE[recipe] * np.exp(0.02 * stream.normal()) / n**0.3, protocol)
        for dataset in datasets
        for recipe in RECIPES
        for n in ns
        for seed in range(seeds)
    ]
    columns = ["dataset", "recipe", "n", "seed", "status", "metric", "value", "protocol"]
    return pd.DataFrame(rows, columns=columns)


def build(folder, *tables):
    folder.mkdir(exist_ok=True)
    files, measures = [], []
    for name, recipe in RECIPES.items():
        files.append(folder / f"{name}.json")
        files[-1].write_text(json.dumps(recipe))
    for place, table in enumerate(tables):
        measures.append(folder / f"{place}.parquet")
        table.to_parquet(measures[-1], index=False)
    out = folder / "ranking"
    build_ranking(files, measures, out)
    return out


@pytest.fixture(scope="module")
def recipes():
    return {name: Recipe.model_validate(given) for name, given in RECIPES.items()}


def test_methods_are_ranked_by_their_distance_and_controls_are_left_out(tmp_path):
    out = build(tmp_path, measured())
    ranking = pd.read_csv(out / "ranking.csv")
    assert ranking["method"].tolist() == ["wgan-lp", "vanilla-lp", "gmmn"]
    assert ranking["mean_rank"].tolist() == [1, 2, 3]
    assert ranking["wins"].tolist() == [6, 0, 0]
    assert set(ranking["cells"]) == {6}
    pairs = pd.read_csv(out / "pairwise.csv")
    common = pairs[pairs["scope"].str.startswith("ranked")].set_index(["first", "second"])
    assert common.loc[("vanilla-lp", "wgan-lp"), "log_ratio"] == pytest.approx(np.log(1.5), abs=0.02)
    assert common.loc[("vanilla-lp", "wgan-lp"), "rank_biserial"] == -1
    assert all((out / name).stat().st_size > 0 for name in (*FILES, *FIGURES))
    assert "gmmn & $3.00$" in (out / "ranking.tex").read_text()


def test_the_same_runs_in_another_order_give_the_same_bytes(tmp_path):
    table = measured()
    first = build(tmp_path / "first", table[table["dataset"] == "a"], table[table["dataset"] == "b"])
    second = build(tmp_path / "second", table.sample(frac=1, random_state=0))
    for name in (*FILES, *FIGURES):
        assert (first / name).read_bytes() == (second / name).read_bytes(), name


def test_a_cell_is_a_dataset_a_size_and_a_generator(recipes):
    scores = score_table(measured(), recipes)
    cells = scores.groupby(["dataset", "n", "architecture"])["method"].agg(lambda names: tuple(sorted(set(names))))
    assert set(cells) == {("gmmn", "vanilla-lp", "wgan-lp"), ("wgan-lp",)}
    assert set(scores["architecture"]) == {
        "mlp hidden=64x64, latent d* uniform",
        "mlp hidden=32x32, latent d* uniform",
    }


def test_a_run_measured_twice_counts_once_by_the_protocol_of_most_recipes(recipes):
    few = measured(protocol="w1[real=64]")
    few = few[few["recipe"] == "wgan-lp"].assign(value=100.0)
    scores = score_table(pd.concat([few, measured()]), recipes)
    assert scores["log"].max() < np.log(100)
    assert not scores.duplicated(["dataset", "n", "architecture", "method", "seed"]).any()


def test_too_few_common_cells_are_said_on_the_page_and_in_the_figure(tmp_path):
    out = build(tmp_path, measured(datasets=("a",)))
    assert pd.read_csv(out / "ranking.csv").empty
    assert "No 3 methods share 6 cells" in (out / "ranking.md").read_text()
    assert "fewer than 6 cells" in (out / "ranking.md").read_text()
    assert not pd.read_csv(out / "cells.csv")["ranked"].any()
    assert all((out / name).is_file() for name in (*FILES, *FIGURES))


@pytest.mark.parametrize("keep", [lambda table: table.iloc[:0], lambda table: table.assign(metric="w2")])
def test_without_any_distance_there_is_a_page_all_the_same(tmp_path, keep):
    out = build(tmp_path, keep(measured()))
    assert "No 3 methods share 6 cells" in (out / "ranking.md").read_text()


def test_failed_and_missing_runs_are_no_error(tmp_path):
    table = measured()
    failed = (table["recipe"] == "wgan-lp") & (table["seed"] < 2)
    table.loc[failed, "status"] = "diverged"
    table.loc[failed, "value"] = np.nan
    table = table[~((table["recipe"] == "gmmn") & (table["seed"] == 7))]
    out = build(tmp_path, table)
    ranking = pd.read_csv(out / "ranking.csv")
    assert ranking["method"].tolist() == ["vanilla-lp", "gmmn", "wgan-lp"]
    assert set(ranking["seeds"]) == {7}
    cells = pd.read_csv(out / "cells.csv")
    assert set(cells[cells["recipe"] == "wgan-lp"]["failed"]) == {2}


def test_methods_without_a_seed_in_common_are_not_compared(tmp_path):
    table = measured()
    table.loc[table["recipe"] == "gmmn", "seed"] += 8
    pairs = pd.read_csv(build(tmp_path, table) / "pairwise.csv")
    assert pairs[["first", "second"]].to_numpy().tolist() == [["vanilla-lp", "wgan-lp"]]
