"""Pictures of trained blocks, and their file."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.blocks import control, job, prepared, trained, write_recipe
from wgpipe import registry
from wgpipe.errors import UserError
from wgpipe.metrics.picture_file import Pictures, read_pictures, save_pictures
from wgpipe.metrics.pictures import write_pictures

STAMPS = '''
"""Small images of the test's own."""

import numpy as np

from wgpipe.data.images import ImageDataset
from wgpipe.registry import register


@register("stamps")
class Stamps(ImageDataset):
    """Noise."""

    accepted = "stamps-6x6"
    shape = (3, 6, 6)

    def card(self):
        return self.image_card(title="noise", train_size=90, test_size=30, source="this file", licence="MIT")

    def prepare(self, files):
        noise = np.random.default_rng(0).integers(256, size=(120, 108), dtype=np.uint8)
        return {"train": noise[:90], "test": noise[90:]}
'''


@pytest.fixture
def stamps(tmp_path: Path) -> Path:
    (tmp_path / "stamps.py").write_text(STAMPS)
    registry.add_files("dataset", {"stamps": tmp_path / "stamps.py"})
    return prepared(tmp_path, "stamps-6x6")


def pictures(stamps: Path, method: str, ns: tuple[int, ...] = (40,), extractor: str | None = None) -> Pictures:
    folders = [trained(job(stamps, control(method), method, n), stamps.parent / f"{method}-{n}") for n in ns]
    recipe, out = write_recipe(stamps.parent, method, control(method)), stamps.parent / "made" / f"{method}.npz"
    write_pictures(recipe, stamps, folders, out, (12, 5), extractor=extractor)
    assert [file.name for file in out.parent.iterdir() if file.stem == method] == [out.name]
    return read_pictures(out)


def test_the_nearest_training_images_of_copies_are_the_copies(stamps: Path) -> None:
    found = pictures(stamps, "empirical")
    assert (found.dataset, found.recipe, found.n, found.seeds.tolist()) == ("stamps-6x6", "empirical", 40, [0, 1])
    assert found.generated.shape == (2, 12, 3, 6, 6)
    assert found.generated.dtype == np.uint8
    np.testing.assert_array_equal(found.shown, found.generated[0, :5])
    np.testing.assert_array_equal(found.in_pixels, found.shown)
    assert len(found.in_features) == 0


def test_the_nearest_of_others_are_found_by_distance_over_all_training_images(stamps: Path) -> None:
    found = pictures(stamps, "gaussian")
    data = job(stamps, control("gaussian"), "gaussian", 40).sample()[0]
    shown = found.shown.reshape(5, -1) / 127.5 - 1
    best = np.linalg.norm(shown[:, None] - data[None], axis=2).argmin(axis=1)
    np.testing.assert_allclose(found.in_pixels.reshape(5, -1) / 127.5 - 1, data[best], atol=1e-9)


def test_in_features_only_the_first_training_images_are_looked_at(
    stamps: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("wgpipe.metrics.pictures.NEIGHBOURS", 10)
    monkeypatch.setattr("wgpipe.metrics.pictures.features_of_images", lambda block, name, images: _flat(images))
    found = pictures(stamps, "gaussian", extractor="pixels")
    data = _flat(np.rint((job(stamps, control("gaussian"), "gaussian", 40).sample()[0] + 1) * 127.5))
    best = np.linalg.norm(_flat(found.shown)[:, None] - data[None, :10], axis=2).argmin(axis=1)
    np.testing.assert_array_equal(_flat(found.in_features), data[best])


def _flat(images: np.ndarray) -> np.ndarray:
    return images.reshape(len(images), -1).astype(np.float64)


def test_pictures_are_of_the_largest_n(stamps: Path) -> None:
    assert pictures(stamps, "oracle", (20, 40)).n == 40


def test_data_without_images_have_no_pictures(tmp_path: Path) -> None:
    data = prepared(tmp_path)
    folder = trained(job(data, control("oracle"), "oracle"), tmp_path / "bundle")
    with pytest.raises(UserError, match=r"'surface-2in3' has no images"):
        write_pictures(tmp_path / "oracle.json", data, [folder], tmp_path / "out" / "x.npz", (3, 2))
    assert not (tmp_path / "out").exists()


def test_the_same_pictures_give_the_same_bytes_and_come_back(stamps: Path, tmp_path: Path) -> None:
    found = pictures(stamps, "oracle")
    for name in ("one", "two"):
        save_pictures(found, tmp_path / f"{name}.npz")
    assert (tmp_path / "one.npz").read_bytes() == (tmp_path / "two.npz").read_bytes()
    other = replace(found, n=7)
    save_pictures(other, tmp_path / "two.npz")
    assert read_pictures(tmp_path / "two.npz").n == 7


@pytest.mark.parametrize("content", [b"", b"no archive", b"PK\x03\x04 cut"])
def test_another_file_is_a_users_error(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "x.npz").write_bytes(content)
    with pytest.raises(UserError, match=r"x\.npz is damaged or of another kind .* make it again by `wgpipe pictures`"):
        read_pictures(tmp_path / "x.npz")
