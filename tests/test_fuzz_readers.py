"""Readers of what is downloaded, placed, drawn or left half done: damaged, each says so in one sentence."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from safetensors.numpy import save_file

from tests.mutations import Bytes, of_file, quickly
from wgpipe import fetch, placed
from wgpipe.data import Source
from wgpipe.data.archives import read_tar
from wgpipe.data.exports import ZipPictures
from wgpipe.data.idx import read as read_idx
from wgpipe.errors import UserError
from wgpipe.extractors import extractor
from wgpipe.extractors.classifier_network import ClassifierNetwork
from wgpipe.extractors.classifier_network import load as load_classifier
from wgpipe.extractors.reference import FeatureFiles
from wgpipe.metrics.picture_file import Pictures, read_pictures, save_pictures
from wgpipe.train import checkpoint

EXAMPLES = 30
Reader = Callable[[Path], Any]
IMAGES = np.arange(2 * 1 * 4 * 4, dtype=np.uint8).reshape(2, 1, 4, 4)


def pictures(folder: Path) -> tuple[Path, Reader]:
    save_pictures(Pictures("digits", "wgan", 8, np.arange(2), IMAGES[None], *[IMAGES] * 3), folder / "x.npz")
    return folder / "x.npz", lambda file: [np.asarray(value).tolist() for value in vars(read_pictures(file)).values()]


def features(folder: Path) -> tuple[Path, Reader]:
    file = folder / "classifier/features.safetensors"
    file.parent.mkdir()
    save_file({"train/64": np.ones((3, 2), np.float32)}, file)
    record = {
        "weights": "0",
        "counts": {"train": 3},
        "dataset": "x",
        "sha256": hashlib.sha256(file.read_bytes()).hexdigest(),
    }
    file.with_name("features.json").write_text(json.dumps(record))
    files, chosen = FeatureFiles(folder, folder), extractor("classifier")
    return file, lambda _: {name: value.tolist() for name, value in files.read(chosen).items()}


def record_of_features(folder: Path) -> tuple[Path, Reader]:
    file, read = features(folder)
    return file.with_name("features.json"), read


def weights(folder: Path) -> tuple[Path, Reader]:
    state = ClassifierNetwork((1, 7, 7), 3).state_dict()
    save_file({name: value.numpy() for name, value in state.items()}, folder / "weights.safetensors")
    return folder / "weights.safetensors", lambda file: load_classifier(file) and None


def download(folder: Path) -> tuple[Path, Reader]:
    (folder / "x.csv").write_text("1,2\n")
    source = Source("x.csv", ("https://localhost/x",), sha256=hashlib.sha256(b"1,2\n").hexdigest())
    return folder / "x.csv", lambda file: fetch.check(source, file)


def record_of_placed(folder: Path) -> tuple[Path, Reader]:
    (folder / "theirs").write_text("data")
    placed.record(("placed:theirs",), "a page", folder, folder / "record.json")
    return folder / "record.json", lambda file: placed.check(file).name


def tar(folder: Path) -> tuple[Path, Reader]:
    with tarfile.open(folder / "x.tar.gz", "w:gz") as archive:
        info = tarfile.TarInfo("a/x.bin")
        info.size = 100
        archive.addfile(info, io.BytesIO(bytes(range(100))))
    return folder / "x.tar.gz", lambda file: read_tar(file, ["a/x.bin"])


def zipped(folder: Path) -> tuple[Path, Reader]:
    with zipfile.ZipFile(folder / "x.zip", "w") as archive:
        archive.writestr("a/x.png", bytes(range(100)))

    def read(file: Path) -> list[bytes]:
        with ZipPictures(file) as found:
            return [found.read(name) for name in found.names]

    return folder / "x.zip", read


def idx(folder: Path) -> tuple[Path, Reader]:
    (folder / "x").write_bytes(bytes([0, 0, 8, 1, 0, 0, 0, 4, 1, 2, 3, 4]))
    return folder / "x", lambda file: read_idx(file, (4,)).shape


def halfway(folder: Path) -> tuple[Path, Reader]:
    """What `resume` loads; nothing, if training starts anew."""
    file, loaded = folder / "checkpoint.safetensors", []
    state = {"step": torch.arange(2), "weights": torch.ones(2, 3)}
    stacks: Any = SimpleNamespace(state=lambda: state, history={(16, 0): [], (16, 1): []}, runs=[(16, 0), (16, 1)])
    stacks.fit, stacks.step = (lambda steps: True), 0
    stacks.load_state = lambda found, rows: loaded.append({name: value.tolist() for name, value in found.items()})
    checkpoint.save(file, stacks, {"n": 1})

    def read(file: Path) -> Any:
        loaded.clear()
        checkpoint.resume(file, stacks, {"n": 1})
        if not loaded:
            raise UserError("training starts anew")
        return list(loaded)

    return file, read


KINDS = (pictures, features, record_of_features, weights, download, record_of_placed, tar, zipped, idx, halfway)
UNSEEN = (
    weights,
    tar,
    idx,
)  # their own formats have no checksum of the values: `check` looks at that of the file first


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_a_damaged_file_is_said_to_be(kind: Callable[[Path], tuple[Path, Reader]], tmp_path: Path) -> None:
    file, read = kind(tmp_path)
    content = file.read_bytes()
    whole = read(file)

    @quickly(EXAMPLES)
    @given(change=of_file(file.name, [b"\0", b"{}", b"PK\x03\x04", content[:50]]))
    def damaged(change: Bytes) -> None:
        file.write_bytes(change(content))
        try:
            found = read(file)
        except UserError:
            assert change(content) != content
        else:
            assert kind in UNSEEN or found == whole

    damaged()
