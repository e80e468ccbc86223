"""Features of real images are jobs exactly where a study's metrics look at images."""

from __future__ import annotations

import json
import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.conftest import edit_yaml
from wgpipe import dag as module
from wgpipe import identity
from wgpipe.cli import main
from wgpipe.dag import Dag
from wgpipe.errors import UserError
from wgpipe.extractors import wanted
from wgpipe.plan import DRAWN_BYTES, FEATURE_BYTES, IMAGE_BYTES, MEASURING_MB, measuring_mb, plan_of
from wgpipe.resolve import resolve

STUDY = Path("config/studies/vanilla_rates.yaml")
FILES = [Path("config/config.yaml"), Path("config/smoke.yaml")]
SCORES = {"extractors": ["classifier", "efflite0-112", "efflite0-320"], "real": 700, "generated": 600}


@pytest.fixture
def scored(project: Path) -> Path:
    """One study at the smoke scale, on images and on points, with image scores."""
    edit_yaml(FILES[0], "studies", value=[STUDY.stem])
    grid = [{"datasets": ["mnist-7x7", "digits"], "recipes": ["wgan-lp"], "n": [32]}]
    edit_yaml(STUDY, "scales", "smoke", "grid", value=grid)
    edit_yaml(STUDY, "controls", value=["oracle"])
    edit_yaml(STUDY, "claims", value={})
    edit_yaml(STUDY, "metrics", "image_scores", value=SCORES)
    return project


def grid() -> Dag:
    return Dag(resolve(FILES, {}))


def wild(**names: str) -> Any:
    return SimpleNamespace(**names)


def test_extractors_of_one_network_share_their_features(scored: Path) -> None:
    made = grid()
    assert sorted(made.networks("mnist-7x7")) == ["classifier", "efflite0@96"]
    assert made.references("mnist-7x7", "efflite0@96") == 700


def test_measuring_takes_features_and_weights_where_there_are_images_and_nowhere_else(scored: Path) -> None:
    made = grid()
    images, points = (wild(dataset=name, recipe="oracle") for name in ("mnist-7x7", "digits"))
    folder = "results/smoke/features/mnist-7x7"
    assert made.references_of_pair(images) == [
        f"{folder}/classifier/features.json",
        f"{folder}/efflite0@96/features.json",
    ]
    assert made.weights_of_pair(images) == [
        "results/downloads/efficientnet-lite0-57934424.pth",
        f"{folder}/classifier/weights.safetensors",
    ]
    assert made.features_option(images) == f"--features {folder} --device cpu"
    assert (made.references_of_pair(points), made.weights_of_pair(points), made.features_option(points)) == ([], [], "")


def test_a_study_that_names_no_extractor_asks_for_none(project: Path) -> None:
    edit_yaml(FILES[0], "studies", value=[STUDY.stem])
    made = grid()
    assert not any(made.networks(name) for name in made.datasets)
    assert not {"classifier", "features"} & plan_of(made)["jobs"].keys()


def test_datasets_that_the_metric_leaves_out_have_no_features(scored: Path) -> None:
    edit_yaml(STUDY, "metrics", "image_scores", value={**SCORES, "datasets": ["mnist-14x14"]})
    assert grid().networks("mnist-7x7") == {}


def test_weights_are_fetched_for_their_extractor(scored: Path) -> None:
    made = grid()
    assert made.source_owner(wild(file="efficientnet-lite0-57934424.pth")).startswith("efflite0-")
    assert made.source_owner(wild(file="mnist-train-images-idx3-ubyte")) == "mnist-7x7"
    with pytest.raises(UserError, match="nothing in this configuration needs a file 'other'"):
        made.source_owner(wild(file="other"))


def test_the_plan_counts_these_jobs_and_their_cost(scored: Path) -> None:
    with_scores = plan_of(grid())
    assert with_scores["jobs"]["classifier"] == 1
    assert with_scores["jobs"]["features"] == 2
    assert with_scores["jobs"]["fetch"] == 4 + 1 + 1
    edit_yaml(STUDY, "metrics", "image_scores", value={**SCORES, "extractors": ["inception"]})
    assert plan_of(grid())["core_hours"]["measure"] > with_scores["core_hours"]["measure"]


def test_a_classifier_on_a_dataset_without_labels_is_refused_at_once(
    scored: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    edit_yaml(STUDY, "scales", "smoke", "grid", 0, "datasets", value=["patches-32x32"])
    edit_yaml(STUDY, "metrics", "image_scores", "extractors", value=["classifier"])
    assert main(["check", "config/smoke.yaml"]) == 2
    message = capsys.readouterr().err
    assert "dataset 'patches-32x32' has no labels, so extractor 'classifier' cannot be trained on it" in message
    assert not Path("results").exists()


def test_beside_another_extractor_it_is_left_out_there(scored: Path) -> None:
    edit_yaml(STUDY, "scales", "smoke", "grid", 0, "datasets", value=["mnist-7x7", "patches-32x32"])
    made = grid()
    assert sorted(made.networks("patches-32x32")) == ["efflite0@96"]
    assert sorted(made.networks("mnist-7x7")) == ["classifier", "efflite0@96"]
    assert wanted(SCORES, made.datasets["patches-32x32"]) == ("efflite0-112", "efflite0-320")


def test_citations_follow_the_extractors(scored: Path) -> None:
    assert {"heusel2017", "tan2019"} <= set(grid().citations())
    assert "szegedy2016" not in grid().citations()


class TestStaleRecords:
    """Where Snakemake's own records are gone, those of the results say what was made by other code."""

    @pytest.fixture
    def records(self, scored: Path) -> dict[str, Path]:
        made = grid()
        folder = made.features_folder("mnist-7x7")
        codes = {
            folder / "classifier" / "weights.json": identity.classifier_code(),
            folder / "classifier" / "features.json": identity.features_code("classifier"),
            folder / "efflite0@96" / "features.json": identity.features_code("efflite0-320"),
        }
        for file, code in codes.items():
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(json.dumps({"code": code}))
        return {f"{file.parent.name}/{file.name}": file for file in codes}

    def test_what_the_present_code_made_stays(self, records: dict[str, Path]) -> None:
        grid().mark_stale()
        assert all(file.is_file() for file in records.values())

    def test_an_edited_classifier_takes_its_own_records_away_and_no_others(
        self, records: dict[str, Path], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(module.identity, "classifier_code", lambda: "new")
        grid().mark_stale()
        assert {name for name, file in records.items() if file.is_file()} == {
            "classifier/features.json",
            "efflite0@96/features.json",
        }


def test_editing_the_classifiers_training_changes_no_other_fingerprint() -> None:
    """Its features change with its weights, which are their input."""
    from wgpipe.audit.fingerprint import closure
    from wgpipe.registry import file_of

    training = module.identity.registry.PACKAGE / "extractors" / "classifier_training.py"
    others: list[Any] = ["wgpipe.extractors.reference", "wgpipe.train.evaluate", file_of("metric", "image_scores")]
    assert training in closure(["wgpipe.extractors.classifier_training"])
    assert training not in closure([*others, file_of("extractor", "classifier"), file_of("extractor", "efflite0-320")])


def test_the_grid_is_read_without_torch(scored: Path) -> None:
    import subprocess
    import sys

    program = (
        "import sys; from pathlib import Path; from wgpipe.grid import Grid; from wgpipe.extractors import extractor\n"
        "names = [extractor(name).pass_name for name in ('classifier', 'efflite0-320', 'inception')]\n"
        "sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], env=os.environ, check=False).returncode == 0


def test_memory_is_that_of_the_images_of_a_block_and_not_of_all_pairs(scored: Path) -> None:
    before = measuring_mb(grid(), "mnist-7x7", "oracle")
    many = {**SCORES, "real": 9000, "generated": 50_000}
    edit_yaml(STUDY, "metrics", "image_scores", value=many)
    after = measuring_mb(grid(), "mnist-7x7", "oracle")
    members = 2
    features = FEATURE_BYTES * (members * 50_000 + 2 * 9000)
    drawn = (members * IMAGE_BYTES + DRAWN_BYTES) * 50_000 * 49  # a control draws all of a member in double precision
    assert after == MEASURING_MB + (drawn + features) / 2**20
    assert before < after


@pytest.mark.parametrize(("device", "expected"), [("cpu", "cpu"), ("auto", "auto"), ("cuda", "auto")])
def test_images_are_looked_at_where_the_configuration_says(scored: Path, device: str, expected: str) -> None:
    """But `cuda` is no order: only trainings ask a cluster for such a machine."""
    edit_yaml(FILES[1], "device", value=device)
    assert grid().features_option(wild(dataset="mnist-7x7", recipe="oracle")).endswith(f" --device {expected}")
