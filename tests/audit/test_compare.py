"""Folders of simulated tables whose truth is known."""

import gc
import json
from html import escape
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest

from wgpipe.audit import noise
from wgpipe.audit.compare import compare
from wgpipe.audit.noise import Estimated
from wgpipe.audit.pairing import estimates, keys
from wgpipe.errors import UserError
from wgpipe.studies.tables import write_csv

SEEDS = range(8)
SIZES = (32, 64, 128, 256)
RECIPES = ("wgan", "vanilla")
CLAIM = {"study": "one", "statement": "it falls", "reason": "so it is"}


@pytest.fixture(autouse=True)
def _frozen():
    """Holm's adjustment collects garbage each time, and walks through all that is imported."""
    gc.freeze()
    yield
    gc.unfreeze()


def results(folder, rng, shift=0.0, slope=-0.5, verdict="supported", failed=0, seeds=SEEDS):
    """A table of runs with noise of a tenth that each seed shares, one of rates with intervals, and a ledger.

    `shift`: relative, of one recipe's w1; `failed`: runs of it that diverged.
    """
    shared = np.random.default_rng(0).standard_normal(100)
    runs = pd.DataFrame(
        [
            ("ring", recipe, n, seed, "ok", level * np.exp(0.1 * (shared[seed] + rng.standard_normal())) / n**0.5)
            for recipe, level in zip(RECIPES, (1 + shift, 1.3), strict=True)
            for n in SIZES
            for seed in seeds
        ],
        columns=["dataset", "recipe", "n", "seed", "status", "w1"],
    )
    lost = runs.index[runs["recipe"] == "wgan"][:failed]
    runs.loc[lost, "status"], runs.loc[lost, "w1"] = "diverged", np.nan
    rates = [("ring", recipe, *interval(slope + 0.02 * rng.standard_normal()), 8, "ok") for recipe in RECIPES]
    found = interval(slope + 0.02 * rng.standard_normal())
    one = folder / "studies/one"
    one.mkdir(parents=True)
    write_csv(runs, one, "runs")
    columns = ["dataset", "recipe", "slope", "ci_low", "ci_high", "seeds", "status"]
    write_csv(pd.DataFrame(rates, columns=columns), one, "rates")
    row = {"id": "rate", **dict(zip(("estimate", "ci_low", "ci_high"), found, strict=True)), "seeds": 8}
    write_csv(pd.DataFrame([{**row, "verdict": verdict, **CLAIM}]), folder, "claims")
    return folder


def interval(value, error=0.02):
    """Its 95 % interval with 8 seeds."""
    return value, value - 2.3646 * error, value + 2.3646 * error


@pytest.fixture
def first(tmp_path):
    return results(tmp_path / "first", np.random.default_rng(1))


def test_a_copy_is_the_same(first, tmp_path, audit):
    again = results(tmp_path / "again", np.random.default_rng(1))
    found = compare(first, again)
    assert found.agrees
    assert set(found.total()) == {"same"}
    assert (found.cells, found.p_values) == ([], [])
    assert [verdict.kind for verdict in found.verdicts] == ["same"]
    assert audit("compare", first, again)[0] == 0


def test_another_draw_of_the_same_noise_is_within_noise(first, tmp_path, audit):
    other = results(tmp_path / "other", np.random.default_rng(2))
    found = compare(first, other)
    assert found.agrees
    assert found.total()["within noise"] > 60
    assert found.total()["different"] == 0
    assert [verdict.kind for verdict in found.verdicts] == ["within noise"]
    assert audit("compare", first, other)[0] == 0


def test_at_most_one_comparison_in_a_hundred_of_equal_truths_is_called_different(tmp_path):
    rng = np.random.default_rng(3)
    folders = [results(tmp_path / str(index), rng) for index in range(41)]
    wrong = sum(not compare(a, b).agrees for a, b in pairwise(folders))
    assert wrong <= 2  # 1 % of 40, and two standard errors


def test_a_shift_of_one_recipe_is_found_in_its_cells_and_in_no_others(first, tmp_path, audit):
    shifted = results(tmp_path / "shifted", np.random.default_rng(2), shift=0.4)
    found = compare(first, shifted)
    assert not found.agrees
    named = {cell.row.split(", ")[0] for cell in found.cells if cell.kind == "different"}
    assert named == {"recipe=wgan"}
    assert sum(cell.kind == "different" and cell.column == "w1" for cell in found.cells) == 32
    code, said = audit("compare", first, shifted, "--json", "--html", tmp_path / "page.html")
    content = json.loads(said)
    assert code == 1
    assert content["tables"]["studies/one/runs.csv"]["different"] == 32
    assert {cell["kind"] for cell in content["cells"]} == {"different", "within noise"}
    page = (tmp_path / "page.html").read_text()
    assert "recipe=wgan, n=32, seed=0" in page
    assert escape(noise.TESTS) in page


def test_a_shift_is_found_in_most_repetitions(tmp_path):
    """Of 30 % in means over 8 seeds that vary by 14 % from run to run, pooled over four n."""
    rng = np.random.default_rng(4)
    found = 0
    for index in range(20):
        a = results(tmp_path / f"a{index}", rng)
        found += not compare(a, results(tmp_path / f"b{index}", rng, shift=0.3)).agrees
    assert found >= 18


def test_another_slope_changes_the_verdict_and_the_ends_of_its_interval_with_it(first, tmp_path):
    found = compare(first, results(tmp_path / "steep", np.random.default_rng(2), slope=-1, verdict="contradicted"))
    (verdict,) = found.verdicts
    assert (verdict.first, verdict.second, verdict.kind) == ("supported", "contradicted", "different")
    kinds = {cell.column: cell.kind for cell in found.cells if cell.table == "studies/one/rates.csv"}
    assert kinds == {"slope": "different", "ci_low": "different", "ci_high": "different"}


@pytest.mark.parametrize(
    ("verdict", "kind"), [("inconclusive", "within noise"), ("contradicted", "different"), ("not run", "different")]
)
def test_a_verdict_at_the_edge_may_change_by_noise_but_not_into_its_opposite(first, tmp_path, verdict, kind):
    found = compare(first, results(tmp_path / "other", np.random.default_rng(2), verdict=verdict))
    assert [each.kind for each in found.verdicts] == [kind]
    assert found.agrees == (kind == "within noise")


@pytest.mark.parametrize(("failed", "agrees"), [(2, True), (20, False)])
def test_runs_that_failed_are_counted(first, tmp_path, failed, agrees):
    assert compare(first, results(tmp_path / "other", np.random.default_rng(2), failed=failed)).agrees == agrees


def test_more_seeds_of_the_same_runs_are_a_note(first, tmp_path):
    more = results(tmp_path / "more", np.random.default_rng(2), seeds=range(12))
    found = compare(first, more)
    assert found.agrees
    assert found.notes == ["studies/one/runs.csv: 32 runs have seeds that only one folder has"]


@pytest.mark.parametrize(("shift", "agrees"), [(0.0, True), (1.0, False)])
def test_other_seeds_are_compared_as_independent_ones(first, tmp_path, shift, agrees):
    found = compare(first, results(tmp_path / "other", np.random.default_rng(2), shift=shift, seeds=range(8, 16)))
    assert found.agrees == agrees
    tested = [cell for cell in found.cells if cell.column == "w1"]
    assert len(tested) == len(RECIPES) * len(SIZES)
    assert {cell.row.split(", ")[0] for cell in tested if cell.kind == "different"} <= {"recipe=wgan"}


def test_rows_that_one_folder_lacks_are_different(first, tmp_path):
    other = results(tmp_path / "other", np.random.default_rng(1))
    file = other / "studies/one/runs.csv"
    table = pd.read_csv(file)
    table[table["n"] != 64].to_csv(file, index=False)
    found = compare(first, other)
    assert {cell.row.split(", ")[1] for cell in found.cells if cell.kind == "different"} == {"n=64"}
    assert found.counts["studies/one/runs.csv"]["different"] == 16


def test_a_table_that_one_folder_lacks_is_said_and_not_held_against_it(first, tmp_path):
    other = results(tmp_path / "other", np.random.default_rng(1))
    (other / "studies/one/rates.csv").unlink()
    found = compare(first, other)
    assert found.agrees
    assert found.notes == [f"not compared, only in {first}: studies/one/rates.csv"]


def test_folders_without_common_tables_are_bad_input(first, tmp_path, capsys):
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match="no table in common"):
        compare(first, tmp_path / "empty")
    with pytest.raises(UserError, match="is no folder"):
        compare(first, tmp_path / "nothing")


def test_a_number_without_an_interval_is_untested(first, tmp_path):
    other = results(tmp_path / "other", np.random.default_rng(1))
    for folder, value in ((first, 1.0), (other, 1.1)):
        write_csv(pd.DataFrame([("ring", 64, value)], columns=["dataset", "n", "bound"]), folder / "studies/one", "b")
    found = compare(first, other)
    assert found.agrees
    assert [(cell.column, cell.kind) for cell in found.cells] == [("bound", "untested")]


def test_estimates_are_columns_with_ends_and_the_number_before_ci_low():
    columns = ["recipe", "n", "w1", "w1_low", "w1_high", "w1_null", "slope", "ci_low", "ci_high", "status"]
    table = pd.DataFrame([["wgan", "64", *"1234567", "ok"]], columns=columns)
    assert estimates(table) == {"w1": ("w1_low", "w1_high"), "slope": ("ci_low", "ci_high")}


def test_rows_are_named_by_few_columns():
    table = pd.DataFrame([("a", "x", "64", "1.5"), ("a", "y", "64", "1.5")], columns=["dataset", "recipe", "n", "w1"])
    assert keys(table, table) == ["recipe", "n"]
    claims = pd.DataFrame([("c1", "one", "it falls"), ("c2", "one", "it falls")], columns=["id", "study", "statement"])
    assert keys(claims, claims) == ["id"]


@pytest.mark.parametrize("distance", [0.5, 1, 2, 4])
def test_estimates_are_tested_with_the_errors_that_their_intervals_state(distance):
    """Two intervals of 8 seeds with equal errors: t = distance / sqrt(2) on 7 degrees of freedom."""
    from scipy import stats

    a, b = Estimated(*interval(0.0, 1.0), seeds=8), Estimated(*interval(distance, 1.0), seeds=8)
    assert noise.of_estimates(a, b) == pytest.approx(2 * stats.t.sf(distance / 2**0.5, 7), rel=1e-3)


def test_paired_and_independent_samples_are_tested_as_by_scipy():
    from scipy import stats

    rng = np.random.default_rng(5)
    x, y = rng.standard_normal(8), 0.5 + rng.standard_normal(8)
    assert noise.of_differences(x - y, 1) == pytest.approx(stats.ttest_rel(x, y).pvalue)
    assert noise.of_samples(x, y[:6]) == pytest.approx(stats.ttest_ind(x, y[:6], equal_var=False).pvalue)
    assert noise.of_counts(3, 8, 0, 8) == pytest.approx(stats.fisher_exact([[3, 5], [0, 8]]).pvalue)


def test_what_is_too_little_for_a_test_has_none():
    assert noise.of_differences(np.ones(1), 1) is None
    assert noise.of_samples(np.ones(1), np.ones(3)) is None
    assert noise.of_estimates(Estimated(1, np.nan, np.nan), Estimated(1, 0, 2)) is None
