"""CelebA, the aligned and cropped faces, from the publisher's own archive."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

import numpy as np

from wgpipe.data import Card, Source
from wgpipe.data.exports import ZipPictures
from wgpipe.data.images import ImageDataset
from wgpipe.data.pictures import central_square, decoded, flattened, reduced
from wgpipe.data.rows import fill
from wgpipe.errors import UserError
from wgpipe.registry import register

PAGE = "https://mmlab.ie.cuhk.edu.hk/projects/CelebA.html"
PICTURES = Source(
    file="img_align_celeba.zip",
    urls=("placed:img_align_celeba.zip",),
    md5="00d2c5bc6d35e252742224ab0c1e8fcb",
    page=f"{PAGE} (Align&Cropped Images: Img/img_align_celeba.zip)",
)
PARTITION = Source(
    file="list_eval_partition.txt",
    urls=("placed:list_eval_partition.txt",),
    md5="d32c9cbf5e040fd4025c592c306e6668",
    page=f"{PAGE} (Train/Val/Test Partitions: Eval/list_eval_partition.txt)",
)
FOLDER = "img_align_celeba"
SIZE = (178, 218)  # width, height
CROP = 108
SIDE = 64
SPLITS = {"train": "0", "test": "2"}


def partition(file: Path) -> dict[str, list[str]]:
    """Names of the pictures of each split, in order, from lines such as `000001.jpg 0`.

    Pictures for validation (1) belong to neither. Raises `UserError` for a line of any other form.
    """
    names: dict[str, list[str]] = {code: [] for code in "012"}
    for number, line in enumerate(file.read_text(encoding="ascii", errors="replace").splitlines(), start=1):
        match line.split():
            case [name, "0" | "1" | "2" as code]:
                names[code].append(name)
            case _:
                raise UserError(f"{file}, line {number}: '{line[:40]}'; accepted: a name and 0, 1 or 2.")
    return {split: names[code] for split, code in SPLITS.items()}


@register("celeba", cites=("liu2015", "radford2016"))
class CelebA(ImageDataset):
    """Faces of celebrities (Liu, Luo, Wang & Tang 2015), cut as for DCGAN (Radford, Metz & Chintala 2016)."""

    accepted: ClassVar[str] = "celeba-64x64"
    shape: ClassVar[tuple[int, int, int]] = (3, SIDE, SIDE)
    counts: ClassVar[dict[str, int]] = {"train": 162_770, "test": 19_962}

    def sources(self) -> tuple[Source, ...]:
        """Two files to download by hand, by the publisher's md5, since their host throttles programs."""
        return (PICTURES, PARTITION)

    def card(self) -> Card:
        """Facts. The cut is that of DCGAN's public code: the Coulomb GAN's reads faces that were cut before."""
        return self.image_card(
            title=f"CelebA faces, the central {CROP}×{CROP} of 178×218 pixels reduced to {SIDE}×{SIDE}",
            train_size=self.counts["train"],
            test_size=self.counts["test"],
            source="CelebA (aligned and cropped), by Liu, Luo, Wang and Tang; their partition, without validation",
            licence="non-commercial research only, not to be redistributed (CelebA agreement)",
        )

    def prepare_in(self, folder: Path, files: Mapping[str, Path]) -> dict[str, np.ndarray]:
        """`train` (162770, 12288) and `test` (19962, 12288), uint8."""
        path, splits = files[PICTURES.file], partition(files[PARTITION.file])
        counts = {split: len(names) for split, names in splits.items()}
        if counts != self.counts:
            raise UserError(f"{files[PARTITION.file]} lists {counts} pictures; accepted: {self.counts}.")
        names = [f"{FOLDER}/{name}" for split in SPLITS for name in splits[split]]
        with ZipPictures(path) as faces:
            if missing := sorted(set(names) - set(faces.names)):
                raise UserError(f"{path} lacks {len(missing)} of {len(names)} pictures, such as {missing[0]}.")
            rows = fill(
                folder / self.name,
                len(names),
                math.prod(self.shape),
                lambda index: face(faces.read(names[index]), f"{path}: {names[index]}"),
            )
        train = counts["train"]
        return {"train": rows[:train], "test": rows[train:]}


def face(content: bytes, name: str) -> np.ndarray:
    """(12288,) uint8 of an encoded picture of 178×218 pixels."""
    return flattened(reduced(central_square(decoded(content, name, SIZE), CROP, name), SIDE))
