"""Features of real images are made once, recorded with what they depend on, and read as they were written."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from tests.blocks import control, job, prepared, trained
from wgpipe import identity
from wgpipe.cli import main
from wgpipe.data.prepared import load
from wgpipe.errors import UserError
from wgpipe.extractors import extractor
from wgpipe.extractors.features import (
    classes_of,
    features_of,
    features_of_images,
    logits_of,
    reference_features,
    reference_images,
    reference_labels,
)
from wgpipe.extractors.reference import FeatureFiles, reference_order, write_features
from wgpipe.methods.oracle import Oracle
from wgpipe.train.evaluate import TrainedBlock

CLASSIFIER = extractor("classifier")


@pytest.fixture(scope="module")
def made(striped: Path, files: FeatureFiles) -> FeatureFiles:
    write_features(striped, "classifier", files, 150)
    return files


@pytest.fixture(scope="module")
def block(striped: Path, made: FeatureFiles, tmp_path_factory: pytest.TempPathFactory) -> TrainedBlock:
    """The control that draws training images."""
    oracle = job(striped, control("oracle"), "oracle")
    return TrainedBlock(oracle, trained(oracle, tmp_path_factory.mktemp("oracle")), made)


def test_the_record_names_weights_data_code_and_counts(striped: Path, made: FeatureFiles) -> None:
    record = json.loads(made.record(CLASSIFIER).read_text())
    assert record["counts"] == {"train": 150, "test": 150}
    assert record["weights"] == json.loads(made.weights(CLASSIFIER).with_suffix(".json").read_text())["sha256"]
    assert record["data"] == {split: load(striped)[0].checksums[split] for split in ("train", "test")}
    assert record["code"] == identity.features_code("classifier")


def test_again_the_same_bytes(striped: Path, made: FeatureFiles, tmp_path: Path) -> None:
    shutil.copytree(made.folder, tmp_path / "features")
    again = FeatureFiles(tmp_path / "features", made.downloads)
    write_features(striped, "classifier", again, 150)
    for name in ("features.safetensors", "features.json"):
        assert (again.folder / "classifier" / name).read_bytes() == (made.folder / "classifier" / name).read_bytes()


def test_a_small_split_gives_all_it_has(striped: Path, made: FeatureFiles, tmp_path: Path) -> None:
    shutil.copytree(made.folder, tmp_path / "features")
    again = FeatureFiles(tmp_path / "features", made.downloads)
    write_features(striped, "classifier", again, 300)
    assert again.facts(CLASSIFIER)["counts"] == {"train": 300, "test": 200}
    fewer = made.read(CLASSIFIER)["test/64"]
    np.testing.assert_allclose(again.read(CLASSIFIER)["test/64"][:150], fewer, rtol=1e-4, atol=1e-5)


def test_the_order_is_a_permutation_of_the_split_and_fixed() -> None:
    order = reference_order("mnist-14x14", "test", 10_000)
    assert sorted(order) == list(range(10_000))
    assert list(order[:3]) == list(reference_order("mnist-14x14", "test", 10_000)[:3])
    assert list(order[:3]) != list(reference_order("mnist-14x14", "train", 10_000)[:3])


def test_features_images_and_labels_of_references_belong_together(block: TrainedBlock) -> None:
    pictures = reference_images(block, "test", 40)
    assert (pictures.shape, pictures.dtype) == ((40, 1, 8, 8), np.uint8)
    kept = reference_features(block, "classifier", "test", 40)
    np.testing.assert_allclose(features_of_images(block, "classifier", pictures), kept, rtol=1e-4, atol=1e-5)
    labels = reference_labels(block, "test", 40)
    rows = pictures.reshape(40, 8, 8).astype(float)
    vertical = rows.std(axis=1).mean(axis=1) < rows.std(axis=2).mean(axis=1)
    assert (vertical == (labels == 0)).mean() > 0.95


def test_features_and_classes_of_generated_images(block: TrainedBlock) -> None:
    features, logits, classes = (
        features_of(block, "classifier", 30),
        logits_of(block, "classifier", 30),
        classes_of(block, 30),
    )
    assert (features.shape, logits.shape, classes.shape) == ((2, 30, 64), (2, 30, 2), (2, 30))
    assert np.array_equal(classes, logits.argmax(axis=2))
    second = features_of_images(block, "classifier", block.generated_images(30)[1])
    np.testing.assert_allclose(features[1], second, rtol=1e-4, atol=1e-5)
    assert features_of(block, "classifier", 30) is features


def test_a_member_that_is_not_finite_has_no_features(block: TrainedBlock, monkeypatch: pytest.MonkeyPatch) -> None:
    points = block.generated(12)
    points[1, 3, 7] = np.nan
    monkeypatch.setattr(block, "kept", {})
    draws = iter(points)
    monkeypatch.setattr(Oracle, "draw", lambda *_: next(draws))
    features = features_of(block, "classifier", 12)
    assert np.isfinite(features[0]).all()
    assert np.isnan(features[1]).all()
    assert (classes_of(block, 12)[1] == -1).all()


def test_asking_for_more_than_is_kept_says_what_to_set(block: TrainedBlock) -> None:
    with pytest.raises(
        UserError, match=r"features\.json holds 150 images of the split 'train', and 400 were asked for"
    ):
        reference_features(block, "classifier", "train", 400)


def test_features_that_are_not_those_of_the_record_are_refused(made: FeatureFiles, tmp_path: Path) -> None:
    shutil.copytree(made.folder, tmp_path / "features")
    edited = tmp_path / "features" / "classifier" / "features.safetensors"
    edited.write_bytes(edited.read_bytes()[:-4] + b"oops")
    with pytest.raises(UserError, match=r"features\.safetensors is not what features\.json beside it says"):
        FeatureFiles(tmp_path / "features", made.downloads).read(CLASSIFIER)


def test_without_features_a_metric_says_what_is_missing(block: TrainedBlock) -> None:
    with pytest.raises(UserError, match="give --features"):
        features_of(TrainedBlock(block.job, block.folder), "classifier", 5)


class TestTheCommandLine:
    """One sentence for each mistake, and nothing half-written."""

    def run(self, capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
        assert main([str(argument) for argument in arguments]) == 2
        message = capsys.readouterr().err
        assert message.count("\n") == 1
        return message

    def test_no_labels(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        bare = prepared(tmp_path, "bare")
        message = self.run(capsys, "classifier", "--data", bare, "--out", tmp_path / "out")
        assert "dataset 'bare' has no labels" in message
        assert not (tmp_path / "out").exists()

    def test_no_images(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        surface, out = prepared(tmp_path), tmp_path / "out"
        options = ("--features", out, "--downloads", tmp_path, "--count", 5)
        message = self.run(capsys, "features", "--data", surface, "--extractor", "efflite0-320", *options)
        assert "dataset 'surface-2in3' has no images" in message
        assert not out.exists()

    def test_no_weights(self, striped: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        out = tmp_path / "out"
        options = ("--features", out, "--downloads", tmp_path, "--count", 5)
        message = self.run(capsys, "features", "--data", striped, "--extractor", "inception", *options)
        assert "the weights of extractor 'inception', does not exist" in message
        assert not out.exists()

    def test_an_unknown_file(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        message = self.run(capsys, "fetch", "efflite0-320", "--file", "efficientnet.pth", "--out", tmp_path)
        assert (
            "'efflite0-320' has no file 'efficientnet.pth'; did you mean 'efficientnet-lite0-57934424.pth'?" in message
        )

    def test_weights_are_fetched_by_the_name_of_their_extractor(self, tmp_path: Path) -> None:
        file = "efficientnet-lite0-57934424.pth"
        assert main(["fetch", "efflite0-320@64", "--file", file, "--out", str(tmp_path)]) == 0
        assert (tmp_path / file).stat().st_size > 10**7
