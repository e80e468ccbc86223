import json
import shlex

import pandas as pd
import pytest

from tests.audit.conftest import RUN
from wgpipe.audit.folder import open_folder
from wgpipe.audit.trace import find_cell, find_claim, repeated
from wgpipe.cli import main
from wgpipe.errors import UserError

RUNS = "studies/vanilla_rates/runs.csv"
CURVES = "studies/vanilla_rates/rates.csv"


def traced(folder, table, *cell):
    return find_cell(open_folder(folder), folder / table, cell)


def test_a_cell_of_a_table_of_runs_leads_to_its_run_its_null_and_its_measured_value(small, audit):
    code, said = audit("trace", small / RUNS, "recipe=wgan-lp", "n=16", "seed=1", "w1", "--json")
    content = json.loads(said)
    assert code == 0
    runs = {str(small / RUN / "n16"), str(small / "runs/surface-2in8/oracle/s0-1/n16")}
    assert set(content["runs"]) == runs
    table = pd.read_csv(small / RUNS)
    row = table[(table["recipe"] == "wgan-lp") & (table["n"] == 16) & (table["seed"] == 1)].iloc[0]
    values = {value["recipe"]: value["value"] for value in content["values"]}
    assert values.keys() == {"wgan-lp", "oracle"}
    assert values["wgan-lp"] == pytest.approx(row["w1"], rel=1e-5)
    assert values["oracle"] == pytest.approx(row["w1_null"], rel=1e-5)
    checksums = json.loads((small / "data/surface-2in8/card.json").read_text())["checksums"]
    assert all(any(digest in line for line in content["data"]) for digest in checksums.values())
    fingerprint = json.loads((small / RUN / "n16/run.json").read_text())["code"]
    assert any(line.startswith(f"training wgan-lp: {fingerprint} (wgpipe/methods/") for line in content["code"])


def test_row_and_column_name_the_same_cell_as_keys_do(small):
    table = pd.read_csv(small / CURVES, dtype=str, keep_default_na=False)
    number = table.index[(table["recipe"] == "wgan-lp") & (table["metric"] == "w1")][0]
    by_number = traced(small, CURVES, f"{number + 1},slope")
    by_key = traced(small, CURVES, "recipe=wgan-lp", "metric=w1", "slope")
    assert by_number == by_key
    assert {(block.recipe, block.n) for block in by_key.blocks} == {
        (recipe, n) for recipe in ("wgan-lp", "oracle") for n in (16, 32)
    }


def test_a_claim_leads_to_the_runs_of_its_recipes(small, audit):
    dag = open_folder(small)
    claim, given = next(iter(dag.resolved.studies["vanilla_rates"].claims.items()))
    found = {block.recipe for block in find_claim(dag, claim).blocks}
    assert found == {"oracle", *given.recipes} & {block.recipe for block in dag.blocks}
    code, said = audit("trace", claim, "--results", small)
    assert code == 0
    assert given.statement in said
    assert "wgpipe study --study" in said


def test_the_commands_give_the_table_to_the_byte(small):
    """What is behind a cell is deleted and made again by the commands that the trace prints."""
    dag = open_folder(small)
    cell = traced(small, RUNS, "recipe=wgan-lp", "n=16", "seed=1", "w1")
    names = [RUNS, f"{RUN}/n16/generator.safetensors", "measures/surface-2in8/wgan-lp.parquet", "claims.csv"]
    before = {name: (small / name).read_bytes() for name in names}
    for name in names:
        (small / name).unlink()
    for command in repeated(dag, cell):
        assert main(shlex.split(shlex.join(command))[1:]) == 0
    assert {name: (small / name).read_bytes() for name in names} == before


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        (["99,w1"], "has no row 99; accepted: 1 to"),
        (["0,w1"], "has no row 0"),
        (["1,w2"], "has no column 'w2'"),
        (["recipe=wgan-lp", "w1"], "has 4 rows with recipe=wgan-lp"),
        (["recipes=wgan-lp", "w1"], "has no column 'recipes'; did you mean"),
        (["w1"], "rows with no condition"),
        ([], "is no cell of"),
    ],
)
def test_what_names_no_cell_is_said(small, cell, said):
    with pytest.raises(UserError) as error:
        traced(small, RUNS, *cell)
    assert said in str(error.value)


def test_a_table_outside_a_results_folder_and_an_unknown_claim_are_said(small, capsys):
    assert main(["audit", "trace", "config/nothing.csv", "1,w1"]) == 2
    assert "lies in no results folder" in capsys.readouterr().err
    assert main(["audit", "trace", "van-rat", "--results", str(small)]) == 2
    assert "has no claim 'van-rat'; did you mean" in capsys.readouterr().err
    assert main(["audit", "trace", "van-rate"]) == 2
