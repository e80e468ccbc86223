import contextlib
import gc
import io
import json

import numpy as np
import pandas as pd
import pytest
from safetensors.numpy import load_file, save_file

from tests.audit.conftest import RUN
from wgpipe.audit import provenance
from wgpipe.audit import rerun as rerunning
from wgpipe.audit.folder import open_folder
from wgpipe.audit.rerun import compare_numbers, rerun, sample
from wgpipe.cli import main
from wgpipe.train import files

SEEDS = tuple(range(8))


@pytest.fixture
def here(monkeypatch):
    """The verbs in this process, which has imported what they need; otherwise each block costs two starts of torch."""

    def run(command):
        said = io.StringIO()
        with contextlib.redirect_stderr(said):
            code = main(command[1:])
        return "" if code == 0 else said.getvalue().splitlines()[-1]

    monkeypatch.setattr(rerunning, "_run", run)


def only(folder, n):
    """The block of wgan-lp with a size."""
    dag = open_folder(folder)
    return dag, [block for block in dag.blocks if (block.recipe, block.n) == ("wgan-lp", n)]


def silent(line):
    """Say nothing."""


def outcome(folder, n=16):
    (result,) = rerun(*only(folder, n), silent)
    return result


def test_trained_again_on_the_same_machine_a_block_has_the_same_bytes(small, audit, capsys):
    code, said = audit("rerun", small, "--sample", "2", "--seed", "5", "--json")
    content = json.loads(said)
    assert code == 0
    assert [block["outcome"] for block in content["blocks"]] == ["same bytes"] * 2
    assert content["blocks"][0]["command"].startswith("wgpipe train --recipe ")
    assert not list(small.glob("**/FOLDER"))


def test_a_sample_has_trained_blocks_alone_and_follows_its_seed(small):
    dag = open_folder(small)
    assert len(sample(dag, 100, 0)) == 4
    assert {block.recipe for block in sample(dag, 100, 0)} == {"vanilla-lp", "wgan-lp"}
    assert sample(dag, 2, 3) == sample(dag, 2, 3)
    assert len({tuple(sample(dag, 2, seed)) for seed in range(20)}) > 1


@pytest.mark.usefixtures("here")
def test_a_tampered_model_is_found(small):
    """Without a record of the machine: it shows by the other model's bytes that it repeats the run."""
    model = small / RUN / "n16" / files.CRITIC
    weights = load_file(model)
    name = sorted(weights)[0]
    weights[name] = weights[name] * np.float32(1.001)
    save_file(weights, model)
    (small / RUN / "n16" / provenance.FILE).unlink(missing_ok=True)
    result = outcome(small)
    assert (result.outcome, result.agrees) == ("other bytes", False)
    assert result.detail == files.CRITIC


@pytest.mark.usefixtures("here")
def test_models_that_were_all_tampered_with_are_found_by_what_was_measured(small):
    for file in (files.GENERATOR, files.CRITIC):
        model = small / RUN / "n16" / file
        save_file({name: value * np.float32(1.5) for name, value in load_file(model).items()}, model)
    (small / RUN / "n16" / provenance.FILE).unlink(missing_ok=True)
    result = outcome(small)
    assert result.outcome == "other bytes"
    assert "the same to the last digit" in result.detail


@pytest.mark.usefixtures("here")
def test_a_tampered_status_is_found(small):
    run = small / RUN / "n32/run.json"
    run.write_text(run.read_text().replace('"1": "ok"', '"1": "diverged"'))
    result = outcome(small, 32)
    assert (result.outcome, result.detail) == ("other bytes", "run.json: status")


@pytest.mark.usefixtures("here")
def test_a_record_of_another_machine_says_in_what_it_differs_and_compares_numbers(small):
    folder = small / RUN / "n16"
    run = json.loads((folder / "run.json").read_text())
    run["versions"]["torch"] = "1.0.0"
    (folder / "run.json").write_text(json.dumps(run))
    for file in (files.GENERATOR, files.CRITIC):
        save_file({name: value * np.float32(1.5) for name, value in load_file(folder / file).items()}, folder / file)
    table = small / "measures/surface-2in8/wgan-lp.parquet"
    measured = pd.read_parquet(table)
    measured["value"] *= 1 + 1e-4 * np.random.default_rng(0).standard_normal(len(measured))
    measured.to_parquet(table, index=False)
    result = outcome(small)
    assert result.outcome == "within noise"
    assert result.why_numbers.startswith("torch 1.0.0, here ")


def test_a_block_that_cannot_be_trained_says_why(small):
    (small / "data/surface-2in8/data.npz").write_bytes(b"")
    result = outcome(small)
    assert (result.outcome, result.agrees) == ("failed", False)
    assert "data.npz" in result.detail


def values(shift=0.0, noise=0.1, rng=None, seeds=SEEDS, status="ok"):
    """Measures of one block: five quantities whose values vary by a tenth."""
    rng = rng or np.random.default_rng(0)
    rows = [
        (64, seed, f"m{metric}", "p", status, 1 + 0.1 * seed + shift * (metric == 2) + noise * rng.standard_normal())
        for metric in range(5)
        for seed in seeds
    ]
    return pd.DataFrame(rows, columns=["n", "seed", "metric", "protocol", "status", "value"])


@pytest.fixture
def frozen():
    """Holm's adjustment collects garbage each time, and walks through all that is imported."""
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.mark.usefixtures("frozen")
def test_numbers_of_one_law_are_within_noise_and_a_large_shift_is_not():
    rng = np.random.default_rng(1)
    kinds = [compare_numbers(values(rng=rng), values(rng=rng), SEEDS)[0] for _ in range(200)]
    assert kinds.count("different") <= 6  # 1 % of 200, and three standard errors
    kinds = [compare_numbers(values(rng=rng), values(shift=1, rng=rng), SEEDS)[0] for _ in range(50)]
    assert kinds.count("different") >= 45


def test_the_same_numbers_are_the_same_and_lost_ones_are_not():
    assert compare_numbers(values(), values(), SEEDS)[0] == "same bytes"
    assert compare_numbers(values(), values().iloc[1:], SEEDS)[0] == "different"
    assert compare_numbers(values(), values(status="diverged"), SEEDS)[0] == "different"
