"""A classifier of the dataset's own classes, the same at each training."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.blocks import prepared
from wgpipe import identity
from wgpipe.data import FiniteDataset, dataset
from wgpipe.data.pixels import images
from wgpipe.errors import UserError
from wgpipe.extractors import extractor
from wgpipe.extractors.classifier_network import ClassifierNetwork, load
from wgpipe.extractors.classifier_training import Labelled, accuracy, trained, write_classifier
from wgpipe.extractors.extraction import extract


def test_it_learns_and_its_record_says_how_well(striped: Path) -> None:
    weights = striped.parent / "features" / "classifier" / "weights.safetensors"
    record = json.loads(weights.with_suffix(".json").read_text())
    assert record["accuracy"] > 0.95
    assert record["sha256"] == hashlib.sha256(weights.read_bytes()).hexdigest()
    assert record["code"] == identity.classifier_code()


def test_the_same_data_give_the_same_bytes(striped: Path, tmp_path: Path) -> None:
    torch.manual_seed(5)
    write_classifier(striped, tmp_path / "again")
    for name in ("weights.safetensors", "weights.json"):
        assert (tmp_path / "again" / name).read_bytes() == (
            striped.parent / "features" / "classifier" / name
        ).read_bytes()


def test_training_leaves_the_global_generator_alone() -> None:
    pictures = torch.zeros(4, 1, 8, 8, dtype=torch.uint8)
    torch.manual_seed(3)
    expected = torch.rand(2)
    torch.manual_seed(3)
    trained(Labelled(pictures, torch.tensor([0, 1, 0, 1])), 2, "stripes")
    assert torch.equal(torch.rand(2), expected)


def test_features_and_logits_belong_together(striped: Path) -> None:
    """The logits are an affine function of the features, which are not negative."""
    weights = striped.parent / "features" / "classifier" / "weights.safetensors"
    pictures = np.random.default_rng(0).integers(0, 256, (50, 1, 8, 8), dtype=np.uint8)
    layers = extract(extractor("classifier"), weights, pictures)
    head = load(weights).head
    assert layers["64"].min() >= 0
    assert layers["64"].shape == (50, 64)
    expected = layers["64"] @ head.weight.numpy().T + head.bias.numpy()
    np.testing.assert_allclose(layers["logits"], expected, rtol=1e-4, atol=1e-5)


def test_an_image_is_seen_the_same_whatever_its_batch(striped: Path) -> None:
    weights = striped.parent / "features" / "classifier" / "weights.safetensors"
    pictures = np.random.default_rng(0).integers(0, 256, (40, 1, 8, 8), dtype=np.uint8)
    together, alone = (extract(extractor("classifier"), weights, some)["64"] for some in (pictures, pictures[33:34]))
    np.testing.assert_allclose(together[33:34], alone, rtol=1e-4, atol=1e-5)


def test_images_of_another_size_are_refused(striped: Path) -> None:
    weights = striped.parent / "features" / "classifier" / "weights.safetensors"
    with pytest.raises(UserError, match=r"^extractor 'classifier' was trained on images of 1×8×8, and is given 3×9×9 "):
        extract(extractor("classifier"), weights, np.zeros((2, 3, 9, 9), dtype=np.uint8))


def test_a_dataset_without_labels_has_no_classifier(tmp_path: Path) -> None:
    bare = prepared(tmp_path, "bare")
    with pytest.raises(UserError, match=r"^dataset 'bare' has no labels, so extractor 'classifier' cannot be trained"):
        write_classifier(bare, tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("shape", [(1, 7, 7), (1, 14, 14), (1, 28, 28), (3, 32, 32), (3, 64, 64)])
def test_every_size_of_image_has_a_network(shape: tuple[int, int, int]) -> None:
    network = ClassifierNetwork(shape, 10).eval()
    features, logits = network(torch.zeros(2, *shape, dtype=torch.uint8))
    assert (features.shape, logits.shape) == ((2, 64), (2, 10))
    assert sum(value.numel() for value in network.parameters()) < 400_000


def test_a_tenth_of_mnist_is_enough_to_tell_most_digits(mnist: dict[str, np.ndarray]) -> None:
    given = dataset("mnist-14x14")
    assert isinstance(given, FiniteDataset)
    splits = [
        Labelled(
            torch.from_numpy(images(given, mnist[split][:6000])),
            torch.tensor(mnist[f"{split}_labels"][:6000]).long(),
        )
        for split in ("train", "test")
    ]
    assert accuracy(trained(splits[0], 10, "mnist-14x14"), splits[1]) > 0.93
