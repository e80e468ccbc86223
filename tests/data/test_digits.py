from __future__ import annotations

import numpy as np
import pytest
from sklearn.datasets import load_digits

from wgpipe import rng
from wgpipe.data import Arrays, dataset
from wgpipe.errors import UserError
from wgpipe.fetch import fetch


@pytest.fixture(scope="module")
def arrays(tmp_path_factory: pytest.TempPathFactory) -> Arrays:
    folder = tmp_path_factory.mktemp("digits")
    data = dataset("digits")
    return data.prepare({s.file: fetch(s, folder, mirror=None, progress=False) for s in data.sources()})


def sorted_rows(points: np.ndarray, labels: np.ndarray) -> np.ndarray:
    table = np.column_stack([points, labels])
    return table[np.lexsort(table.T)]


def test_both_splits_together_are_what_scikit_learn_loads(arrays: Arrays) -> None:
    points, labels = load_digits(return_X_y=True)
    ours = np.concatenate([arrays["train"], arrays["test"]])
    our_labels = np.concatenate([arrays["train_labels"], arrays["test_labels"]])
    np.testing.assert_array_equal(sorted_rows(ours, our_labels), sorted_rows(points / 16, labels))


def test_sizes_range_and_radius_are_those_of_the_card(arrays: Arrays) -> None:
    card = dataset("digits").card()
    assert arrays["train"].shape == (card.train_size, card.dimension) == (1198, 64)
    assert arrays["test"].shape == (card.test_size, card.dimension) == (599, 64)
    assert arrays["train"].min() == 0
    assert arrays["train"].max() == 1
    assert card.radius == 4


def test_the_split_is_fixed_and_mixed(arrays: Arrays) -> None:
    for split in ("train_labels", "test_labels"):
        shares = np.bincount(arrays[split], minlength=10) / len(arrays[split])
        np.testing.assert_allclose(shares, 0.1, atol=0.03)


def test_training_samples_are_nested_subsets_of_the_training_split(arrays: Arrays) -> None:
    data = dataset("digits")
    few, many = (data.training_sample(arrays, rng.sample_stream("digits", 3), n) for n in (32, 512))
    np.testing.assert_array_equal(few, many[:32])
    train = {row.tobytes() for row in arrays["train"].astype(np.float64)}
    assert all(row.tobytes() in train for row in many)


def test_more_points_than_there_are_is_a_mistake(arrays: Arrays) -> None:
    with pytest.raises(UserError, match="has 599 points in this split, and 600 were asked for"):
        dataset("digits").test_sample(arrays, rng.stream("test"), 600)


def test_there_is_one_digits() -> None:
    with pytest.raises(UserError, match="accepted: digits"):
        dataset("digits-16x16")
