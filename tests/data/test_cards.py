"""Every registered dataset has a complete card, and its name leads to its file without torch."""

from __future__ import annotations

import math
import re
import subprocess
import sys

import pytest

from wgpipe import registry
from wgpipe.data import FiniteDataset, dataset
from wgpipe.errors import UserError

EXAMPLES = {
    "ball": "ball-2in3",
    "celeba": "celeba-64x64",
    "cifar10": "cifar10-32x32",
    "cube": "cube-2in8",
    "digits": "digits",
    "fashion_mnist": "fashion_mnist-7x7",
    "funnels": "funnels-4in3",
    "gaussian": "gaussian-4",
    "gaussian_pair": "gaussian_pair-4",
    "grid": "grid-25",
    "icnn_pair": "icnn_pair-3",
    "line_pair": "line_pair-uniform-normal",
    "lsun_bedroom": "lsun_bedroom-64x64-5000",
    "mix3tomix10": "mix3tomix10-4",
    "mnist": "mnist-14x14",
    "patches": "patches-32x32",
    "published_funnels": "published_funnels-16in8",
    "ring": "ring-8",
    "sphere": "sphere-2in8",
    "surface": "surface-2in8",
    "torus": "torus-2in8",
    "two_layer": "two_layer-relu8-2in4",
    "two_point": "two_point-10",
}


def test_every_family_is_an_example_here() -> None:
    assert EXAMPLES.keys() == registry.files("dataset").keys()


@pytest.mark.parametrize("name", EXAMPLES.values())
def test_a_card_is_complete(name: str) -> None:
    data = dataset(name)
    card = data.card()
    assert card.name == data.name == name
    assert card.title
    assert card.source
    assert card.licence
    assert card.dimension >= card.latent >= 1
    assert card.latent == card.intrinsic or card.intrinsic is None
    assert (card.train_size is None) == (card.test_size is None) == (not isinstance(data, FiniteDataset))
    assert card.radius is None or card.radius > 0


@pytest.mark.parametrize("name", EXAMPLES.values())
def test_real_data_are_cited_and_checked(name: str) -> None:
    data = dataset(name)
    for source in data.sources():
        assert data.card().cites
        assert source.urls
        if source.checksum is None:
            assert all(url.startswith("placed:") for url in source.urls)
        else:
            assert len(bytes.fromhex(source.checksum.value)) == {"sha256": 32, "md5": 16}[source.checksum.kind]
        assert bool(source.page) == source.urls[0].startswith("placed:")


@pytest.mark.parametrize("name", EXAMPLES.values())
def test_the_shape_of_images_is_that_of_a_row(name: str) -> None:
    card = dataset(name).card()
    size = re.search(r"-(\d+)x(\d+)", name)
    assert (card.shape is None) == (size is None)
    if card.shape is not None and size is not None:
        assert card.shape[1:] == (int(size[1]), int(size[2]))
        assert card.dimension == math.prod(card.shape)
        assert card.radius == card.dimension**0.5


def test_a_mistyped_family_gets_a_suggestion() -> None:
    with pytest.raises(UserError, match="did you mean 'surface'"):
        dataset("surfce-2in8")


def test_reading_cards_imports_neither_torch_nor_sklearn() -> None:
    program = f"""
import sys
from wgpipe.data import FiniteDataset, dataset
for name in {list(EXAMPLES.values())}:
    dataset(name).card()
print(sorted({{"torch", "sklearn", "scipy", "PIL", "skimage", "lmdb"}} & sys.modules.keys()))
"""
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"
