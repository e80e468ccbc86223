"""What a dataset is: a distribution to learn, with a card that says where it comes from.

Importing a dataset's file imports no torch: the Snakefile reads cards to plan the grid.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, Literal, NamedTuple

import numpy as np
from pydantic import BaseModel, ConfigDict

from wgpipe import registry
from wgpipe.errors import UserError
from wgpipe.names import checked

Arrays = Mapping[str, np.ndarray]


class Checksum(NamedTuple):
    """How a file is recognised."""

    kind: Literal["sha256", "md5"]
    value: str
    of_content: bool  # of what is inside a .gz file, rather than of the file as it is published

    def __str__(self) -> str:
        return f"{self.kind} {self.value}"


@dataclass(frozen=True)
class Source:
    """A file to download: URLs tried in order, and the sha256 of its uncompressed content.

    Where the publisher gives only an md5, it is that of the file as published, which stays compressed. Where there is
    no checksum at all, `file` is a record of what was there on first use (`wgpipe.placed`).
    `package:sklearn/datasets/data/x.csv.gz` is a URL too: a file inside an installed package. `placed:x.zip` is one
    that a person has to download, from `page`, since its host does not let a program.
    """

    file: str
    urls: tuple[str, ...]
    sha256: str = ""
    md5: str = ""
    page: str = ""

    def __post_init__(self) -> None:
        try:
            checked(self.file)
        except ValueError as error:
            raise UserError(f"a file to download has the name {self.file[:200]!r}, which {error}.") from None

    @property
    def checksum(self) -> Checksum | None:
        """What is known of the content; None: nothing."""
        if self.sha256:
            return Checksum("sha256", self.sha256, of_content=True)
        return Checksum("md5", self.md5, of_content=False) if self.md5 else None


@dataclass(frozen=True)
class Card:
    """Facts about a dataset, written beside its data as card.json."""

    name: str
    title: str
    dimension: int
    intrinsic: int | None  # None: unknown
    latent: int  # latent dimension that stands for d* where d* is unknown
    train_size: int | None  # None: an exact sampler, as many draws as asked for
    test_size: int | None
    radius: float | None  # half the diameter of the support; None: not compact
    source: str
    licence: str
    cites: tuple[str, ...] = ()
    checksums: dict[str, str] = field(default_factory=dict)
    shape: tuple[int, int, int] | None = None  # of images: channels, height, width; rows are flattened, in [-1, 1]


class Dataset(BaseModel):
    """One member of a family of datasets, e.g. `surface-2in8` of the family `surface`.

    A subclass is registered under its family's name. All draws are prefix-stable: with the same stream, the first rows
    of a longer draw are the rows of a shorter one.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    kind: ClassVar[str] = "dataset"
    registered_name: ClassVar[str]
    cites: ClassVar[tuple[str, ...]] = ()
    classes: ClassVar[int] = 0  # of the labels beside each split; 0: there are none
    accepted: ClassVar[str]  # the names of this family, for error messages: "surface-<d*>in<d>"

    name: str

    @classmethod
    def from_name(cls, name: str) -> Dataset:
        """Parse a name of this family; `UserError` if it is malformed or does not fit (e.g. a sphere with d <= d*)."""
        raise NotImplementedError

    def sources(self) -> tuple[Source, ...]:
        """Files to download before `prepare`."""
        return ()

    def card(self) -> Card:
        """Facts, known without the data."""
        raise NotImplementedError

    def prepare(self, files: Mapping[str, Path]) -> dict[str, np.ndarray]:
        """Arrays that sampling needs (saved as data.npz), from the downloaded files by `Source.file`."""
        raise NotImplementedError

    def prepare_in(self, folder: Path, files: Mapping[str, Path]) -> dict[str, np.ndarray]:
        """`prepare`, with a folder of this code's own for what does not fit into memory: a later call goes on there."""
        return self.prepare(files)

    def draw(self, arrays: Arrays, stream: np.random.Generator, count: int) -> np.ndarray:
        """(count, d) float64 fresh draws of an exact sampler."""
        raise NotImplementedError

    def training_sample(self, arrays: Arrays, stream: np.random.Generator, n: int) -> np.ndarray:
        """(n, d) float64: the first n training points of a stream."""
        return self.draw(arrays, stream, n)

    def training_rows(self, arrays: Arrays, stream: np.random.Generator, n: int) -> np.ndarray:
        """The training sample as training keeps it: (n, d) float32, or bytes that stand for [-1, 1]."""
        return self.training_sample(arrays, stream, n).astype(np.float32)

    def test_sample(self, arrays: Arrays, stream: np.random.Generator, count: int) -> np.ndarray:
        """(count, d) float64 real points that no training sample contains, to measure against."""
        return self.draw(arrays, stream, count)

    def oracle_sample(self, arrays: Arrays, stream: np.random.Generator, count: int) -> np.ndarray:
        """(count, d) float64 real points, independent of the test sample: what a perfect generator would give."""
        return self.draw(arrays, stream, count)


class FiniteDataset(Dataset):
    """Real data: `prepare` returns `train` (N, d) and `test` (M, d), and samples are subsets without replacement."""

    def training_sample(self, arrays: Arrays, stream: np.random.Generator, n: int) -> np.ndarray:
        return self._subset(arrays["train"], stream, n)

    def test_sample(self, arrays: Arrays, stream: np.random.Generator, count: int) -> np.ndarray:
        return self._subset(arrays["test"], stream, count)

    def oracle_sample(self, arrays: Arrays, stream: np.random.Generator, count: int) -> np.ndarray:
        return self._subset(arrays["train"], stream, count)

    def _subset(self, points: np.ndarray, stream: np.random.Generator, count: int) -> np.ndarray:
        return self.points(self.rows(points, stream, count))

    def rows(self, points: np.ndarray, stream: np.random.Generator, count: int) -> np.ndarray:
        """(count, d) rows of a split, as they are stored."""
        rows: np.ndarray = points[self.chosen(points, stream, count)]
        return rows

    def chosen(self, points: np.ndarray, stream: np.random.Generator, count: int) -> np.ndarray:
        """(count,) their numbers."""
        if count > len(points):
            raise UserError(
                f"dataset '{self.name}' has {len(points)} points in this split, and {count} were asked for."
            )
        return stream.permutation(len(points))[:count]

    def points(self, rows: np.ndarray) -> np.ndarray:
        """Rows as they are stored -> float64 points, copied."""
        return rows.astype(np.float64)


def family(name: str) -> str:
    """What stands before the first '-' of a dataset's name, and is registered: `surface` of `surface-2in8`."""
    return name.split("-", 1)[0]


def dataset(name: str) -> Dataset:
    """The dataset of a name such as `surface-2in8`."""
    cls: type[Dataset] = registry.load("dataset", family(name))
    return cls.from_name(name)
