"""Encoded pictures of random pixels, and archives of the formats in which datasets are published."""

from __future__ import annotations

import io
import tarfile
import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from PIL import Image

from wgpipe import rng


def pixels(height: int, width: int, key: int = 0) -> np.ndarray:
    """(height, width, 3) uint8."""
    return rng.stream("pixels", key).integers(0, 256, size=(height, width, 3), dtype=np.uint8)


def encoded(array: np.ndarray, form: str = "png") -> bytes:
    """A file's content; grey for (height, width)."""
    file = io.BytesIO()
    Image.fromarray(array).save(file, form)
    return file.getvalue()


def write_zip(path: Path, members: Mapping[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def write_tar(path: Path, members: Mapping[str, bytes]) -> Path:
    with tarfile.open(path, "w:gz") as archive:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return path
