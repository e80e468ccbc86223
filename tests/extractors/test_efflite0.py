"""EfficientNet-Lite0 sees what it was trained to see, and its features are what it sees by."""

from __future__ import annotations

from importlib.resources import files as resources
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from wgpipe.errors import UserError
from wgpipe.extractors import extractor
from wgpipe.extractors.efflite0_network import EfficientNetLite0, SameConv2d, load
from wgpipe.extractors.extraction import extract

PHOTOGRAPHS = {  # photograph -> classes of ImageNet that show the same
    "sklearn/datasets/images/china.jpg": {663, 698},  # monastery, palace
    "sklearn/datasets/images/flower.jpg": {985},  # daisy
    "skimage/data/chelsea.png": {281, 282, 285},  # tabby, tiger cat, Egyptian cat
    "skimage/data/coffee.png": {967},  # espresso
    "skimage/data/rocket.jpg": {657, 744},  # missile, projectile
}


def photograph(path: str, side: int) -> torch.Tensor:
    """(1, 3, side, side) uint8: the central square."""
    package, _, name = path.partition("/")
    picture = Image.open(str(resources(package) / name)).convert("RGB")
    width, height = picture.size
    edge = min(width, height)
    left, top = (width - edge) // 2, (height - edge) // 2
    square = picture.crop((left, top, left + edge, top + edge)).resize((side, side), Image.Resampling.BICUBIC)
    return torch.from_numpy(np.asarray(square).transpose(2, 0, 1).copy())[None]


@pytest.mark.parametrize("path", PHOTOGRAPHS, ids=lambda path: Path(path).stem)
def test_it_knows_what_a_photograph_shows(path: str, efflite0: Path) -> None:
    """So weights, padding, normalisation and the scale of pixels are those of its training."""
    logits = load(efflite0, 224).classes(photograph(path, 224))
    assert int(logits.argmax()) in PHOTOGRAPHS[path]


def test_every_weight_of_the_file_has_its_place_and_folding_changes_nothing(efflite0: Path) -> None:
    plain = EfficientNetLite0(96)
    plain.load_state_dict(torch.load(efflite0, weights_only=True), strict=True)
    pictures = photograph("skimage/data/chelsea.png", 96)
    with torch.no_grad():
        expected = [*plain.eval()(pictures), plain.classes(pictures)]
    network = load(efflite0, 96)
    for found, right in zip([*network(pictures), network.classes(pictures)], expected, strict=True):
        torch.testing.assert_close(found, right, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("side", [7, 8, 9, 24])
@pytest.mark.parametrize(("kernel", "stride"), [(1, 1), (3, 1), (3, 2), (5, 1), (5, 2)])
def test_padding_is_that_of_tensorflow(side: int, kernel: int, stride: int) -> None:
    """Output of ceil(side / stride); the window of the first output begins at minus half of what is missing."""
    layer = SameConv2d(1, 1, kernel, stride, bias=False)
    torch.nn.init.ones_(layer.weight)
    ramp = torch.arange(1.0, side + 1).expand(1, 1, side, side)
    output = layer(ramp)[0, 0]
    count = -(-side // stride)
    assert output.shape == (count, count)
    missing = max((count - 1) * stride + kernel - side, 0)
    column = np.pad(np.arange(1.0, side + 1), (missing // 2, missing - missing // 2))
    rows = np.pad(np.ones(side), (missing // 2, missing - missing // 2))
    expected = [
        [rows[stride * i :][:kernel].sum() * column[stride * j :][:kernel].sum() for j in range(count)]
        for i in range(count)
    ]
    np.testing.assert_allclose(output.detach().numpy(), expected)


def test_both_layers_come_from_one_pass_and_grey_is_repeated(efflite0: Path) -> None:
    colour = photograph("skimage/data/coffee.png", 32).numpy()
    grey = colour[:, :1]
    layers = extract(extractor("efflite0-320"), efflite0, grey)
    assert {name: values.shape for name, values in layers.items()} == {"112": (1, 112), "320": (1, 320)}
    repeated = extract(extractor("efflite0-112"), efflite0, np.repeat(grey, 3, axis=1))
    assert all(np.array_equal(layers[name], repeated[name]) for name in layers)
    assert not np.allclose(layers["320"], extract(extractor("efflite0-320"), efflite0, colour)["320"])


def test_the_size_of_the_input_is_part_of_the_name() -> None:
    assert [extractor(name).name for name in ("efflite0-320", "efflite0-320@96", "efflite0-320@64")] == [
        "efflite0-320",
        "efflite0-320",
        "efflite0-320@64",
    ]
    assert extractor("efflite0-112").pass_name == extractor("efflite0-320").pass_name == "efflite0@96"
    assert extractor("efflite0-112@64").pass_name == "efflite0@64"


@pytest.mark.parametrize(
    "name", ["efflite0-320@", "efflite0-320@5", "efflite0-320@big", "classifier@64", "inception@9"]
)
def test_other_sizes_are_refused(name: str) -> None:
    with pytest.raises(UserError, match=rf"^extractor '{name}' is unknown; accepted: "):
        extractor(name)


def test_an_unknown_extractor_is_answered_with_the_nearest() -> None:
    with pytest.raises(UserError, match=r"^extractor 'eflite0-320' is unknown; did you mean 'efflite0-320'\?"):
        extractor("eflite0-320")


def test_wrong_weights_are_refused_before_anything_loads_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = tmp_path / "weights.pth"
    wrong.write_bytes(b"not these")
    monkeypatch.setattr(torch, "load", lambda *_, **__: pytest.fail("loaded"))
    with pytest.raises(UserError, match=r"weights\.pth has sha256 \w{64}, and the weights of extractor 'efflite0-320'"):
        extract(extractor("efflite0-320"), wrong, np.zeros((1, 1, 8, 8), dtype=np.uint8))
    with pytest.raises(UserError, match=r"absent\.pth, the weights of extractor 'efflite0-320', does not exist"):
        extract(extractor("efflite0-320"), tmp_path / "absent.pth", np.zeros((1, 1, 8, 8), dtype=np.uint8))
