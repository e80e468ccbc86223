"""What is made anew follows content: code, configuration and data, never a time stamp."""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path

from tests.conftest import edit_yaml
from tests.workflow.conftest import STUDY, Pipeline

LEDGER = {("claims", ""), ("study_vanilla_rates", ""), ("manifest", "")}
RUNS = "results/smoke/runs"


def trained(jobs: set[tuple[str, str]]) -> set[str]:
    return {wildcards for rule, wildcards in jobs if rule == "train"}


def measured(jobs: set[tuple[str, str]]) -> set[str]:
    return {wildcards for rule, wildcards in jobs if rule == "measure"}


def test_a_second_run_does_nothing_and_says_so(built: Pipeline) -> None:
    assert built.planned() == set()
    assert "Nothing to be done" in built.snakemake()


def test_touching_every_file_reruns_nothing(pipeline: Pipeline) -> None:
    files = [file for file in pipeline.folder.rglob("*") if file.is_file() and ".snakemake" not in file.parts]
    assert max(file.stat().st_size for file in files if "results" in file.parts) > 1_000_000
    for second, file in enumerate(sorted(files, reverse=True)):
        os.utime(file, (2e9 + second, 2e9 + second))
    assert pipeline.planned() == set()


def test_a_clone_with_results_reruns_nothing(built: Pipeline, tmp_path: Path) -> None:
    shutil.copytree(built.folder, tmp_path / "clone", symlinks=True, copy_function=shutil.copyfile)
    assert Pipeline(tmp_path / "clone").planned() == set()


def test_a_stale_block_retrains_although_snakemakes_records_are_gone(pipeline: Pipeline) -> None:
    shutil.rmtree(pipeline.folder / ".snakemake")
    assert pipeline.planned() == set()
    run = pipeline.folder / RUNS / "surface-2in8/vanilla-lp/s0-1/n16/run.json"
    content = json.loads(run.read_text())
    run.write_text(json.dumps({**content, "code": "of another time"}))
    assert trained(pipeline.planned()) == {"dataset=surface-2in8, recipe=vanilla-lp, seeds=0-1"}
    pipeline.snakemake(f"{RUNS}/surface-2in8/vanilla-lp/s0-1/bundle.json")
    assert json.loads(run.read_text()) == content
    log = (run.parents[1] / "train.log").read_text().splitlines()
    assert [line for line in log if "kept" in line] == ["n=32 seeds 0-1 kept"]


def test_a_bundle_that_was_lost_is_measured_again_although_its_training_ended_before(pipeline: Pipeline) -> None:
    manifest = pipeline.folder / "results/smoke/manifest.json"
    before = manifest.read_bytes()
    bundle = f"{RUNS}/surface-2in8/vanilla-lp/s0-1"
    shutil.rmtree(pipeline.folder / bundle)
    pipeline.snakemake(f"{bundle}/bundle.json")
    assert measured(pipeline.planned()) == {"dataset=surface-2in8, recipe=vanilla-lp"}
    pipeline.snakemake()
    assert manifest.read_bytes() == before


def test_a_comment_or_a_docstring_reruns_nothing(pipeline: Pipeline) -> None:
    pipeline.edit("wgpipe/methods/wgan.py", '"""The Wasserstein GAN."""', '"""The GAN of Wasserstein."""\n# a comment')
    pipeline.edit("wgpipe/train/population.py", "        draws =", "        # a comment\n        draws =")
    assert pipeline.planned() == set()


def test_editing_a_method_retrains_its_blocks_only(pipeline: Pipeline) -> None:
    pipeline.edit("wgpipe/methods/vanilla.py", "(softplus(-w_real)", "(1.5 * softplus(-w_real)")
    jobs = pipeline.planned()
    assert trained(jobs) == {"dataset=surface-2in8, recipe=vanilla-lp, seeds=0-1"}
    assert measured(jobs) == {"dataset=surface-2in8, recipe=vanilla-lp"}
    assert jobs >= LEDGER


def test_editing_a_metric_trains_nothing_and_measures_that_metric_only(pipeline: Pipeline) -> None:
    pipeline.edit("wgpipe/metrics/spread.py", "return ", "return 2 * ")
    assert trained(pipeline.planned()) == set()
    before = (pipeline.folder / "results/smoke/measures/big/wgan-lp.parquet").read_bytes()
    pipeline.snakemake()
    log = (pipeline.folder / "results/smoke/measures/big/wgan-lp.log").read_text()
    assert [line.split(": ")[1].split()[0] for line in log.splitlines() if "measured" in line] == ["spread"]
    assert (pipeline.folder / "results/smoke/measures/big/wgan-lp.parquet").read_bytes() != before


def test_one_more_slot_of_seeds_trains_only_it(pipeline: Pipeline) -> None:
    edit_yaml(pipeline.folder / "config/smoke.yaml", "seeds", value=["0-1", "2-3"])
    new = trained(pipeline.planned())
    assert len(new) == 7
    assert all("seeds=2-3" in wildcards for wildcards in new)


def test_one_more_size_trains_only_it(pipeline: Pipeline) -> None:
    bundle = pipeline.folder / RUNS / "surface-2in8/wgan-lp/s0-1"
    before = {file: (file.read_bytes(), file.stat().st_mtime_ns) for file in bundle.glob("n*/*.*")}
    assert len(before) == 2 * 5
    edit_yaml(pipeline.folder / STUDY, "scales", "smoke", "grid", 0, "n", value=[16, 24, 32])
    names = ("vanilla-lp", "wgan-lp", "oracle", "empirical")
    assert trained(pipeline.planned()) == {f"dataset=surface-2in8, recipe={name}, seeds=0-1" for name in names}
    pipeline.snakemake(f"{RUNS}/surface-2in8/wgan-lp/s0-1/bundle.json")
    assert {file: (file.read_bytes(), file.stat().st_mtime_ns) for file in before} == before
    log = (bundle / "train.log").read_text().splitlines()
    assert [line for line in log if "kept" in line] == ["n=16 seeds 0-1 kept", "n=32 seeds 0-1 kept"]
    assert json.loads((bundle / "cost.json").read_text())["trained"] == [24]
    assert json.loads((bundle / "bundle.json").read_text())["runs"].keys() == {"n16", "n24", "n32"}
    assert measured(pipeline.planned()) == {f"dataset=surface-2in8, recipe={name}" for name in names}


def test_a_changed_hyperparameter_retrains_its_recipe_only(pipeline: Pipeline) -> None:
    edit_yaml(pipeline.folder / STUDY, "recipes", "vanilla-lp", "constraint", "weight", value=0.7)
    assert {wildcards.split(", ")[1] for wildcards in trained(pipeline.planned())} == {"recipe=vanilla-lp"}


def test_a_changed_claim_trains_and_measures_nothing(pipeline: Pipeline) -> None:
    edit_yaml(pipeline.folder / STUDY, "claims", "van-rate", "test", "band", value=0.06)
    assert pipeline.planned() == LEDGER


def test_deleted_studies_are_rebuilt_to_the_same_bytes_without_training(pipeline: Pipeline) -> None:
    folder = pipeline.folder / "results/smoke/studies/vanilla_rates"

    def content() -> dict[str, bytes]:
        beside = (".log", "provenance.json")  # what a clock decides
        return {file.name: file.read_bytes() for file in folder.iterdir() if not file.name.endswith(beside)}

    before = content()
    assert {".pdf", ".svg", ".png", ".csv", ".tex"} <= {Path(name).suffix for name in before}
    shutil.rmtree(folder.parent)
    assert pipeline.planned() == LEDGER
    pipeline.snakemake()
    assert content() == before


def test_reading_the_snakefile_imports_no_torch(built: Pipeline, tmp_path: Path) -> None:
    hook = tmp_path / "sitecustomize.py"
    hook.write_text(
        "import atexit, sys\n"
        f"atexit.register(lambda: open({str(tmp_path / 'loaded')!r}, 'a').write(str('torch' in sys.modules) + '\\n'))\n"
    )
    linked = Pipeline(tmp_path / "pipeline")
    shutil.copytree(built.folder, linked.folder, symlinks=True)
    shutil.copy(hook, linked.folder)
    assert linked.planned() == set()
    assert set((tmp_path / "loaded").read_text().split()) == {"False"}
    assert sys.executable


def test_bad_input_stops_snakemake_with_one_sentence(pipeline: Pipeline) -> None:
    edit_yaml(pipeline.folder / "config/smoke.yaml", "seeds", value=["0-2"])
    said = pipeline.snakemake(check=False)
    assert "seeds '0-2' cut a slot" in said
    assert "Traceback" not in said
