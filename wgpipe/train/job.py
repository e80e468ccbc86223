"""What a block is trained from."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from wgpipe.data import Dataset, dataset
from wgpipe.data.pairs import PairDataset
from wgpipe.data.prepared import CARD, load
from wgpipe.errors import UserError
from wgpipe.hashes import sha256
from wgpipe.identity import training_code
from wgpipe.recipe import Recipe, read_recipe
from wgpipe.rng import sample_stream, source_stream
from wgpipe.stored import read_arrays
from wgpipe.train import files


@dataclass(frozen=True)
class Job:
    """A recipe, a dataset, a sample size and the seeds of a block."""

    recipe_name: str
    recipe: Recipe
    dataset: Dataset
    arrays: dict[str, np.ndarray]
    data_checksums: dict[str, str]
    n: int
    seeds: tuple[int, ...]
    base: Path | None = None

    @classmethod
    def read(
        cls, recipe_file: Path, data_folder: Path, n: int, seeds: tuple[int, ...], base: Path | None = None
    ) -> Job:
        """From the files that the pipeline prepared; the recipe's and the dataset's names are those of the files.

        `base` is the bundle that holds the generators of a recipe which is trained on another's.
        """
        recipe = read_recipe(recipe_file)
        card, arrays = load(data_folder)
        if data_folder.name != card.name:
            raise UserError(
                f"{data_folder / CARD} is the card of '{card.name}'; delete the folder and prepare it again."
            )
        return cls(recipe_file.stem, recipe, dataset(card.name), arrays, card.checksums, n, seeds, base)

    @property
    def label(self) -> str:
        """`n=64 seeds 0-7`."""
        return f"n={self.n} seeds {self.seeds[0]}-{self.seeds[-1]}"

    @property
    def latent(self) -> int:
        """Latent dimension of the generators."""
        card = self.dataset.card()
        return self.recipe.latent_dimension(card.intrinsic or card.latent)

    def streams(self) -> list[np.random.Generator]:
        """What each member's training sample is drawn by."""
        return [sample_stream(self.dataset.name, seed) for seed in self.seeds]

    def sample(self) -> np.ndarray:
        """(E, n, d) float64 training samples, the same for every method."""
        return np.stack([self.dataset.training_sample(self.arrays, stream, self.n) for stream in self.streams()])

    def rows(self) -> list[np.ndarray]:
        """The same, (n, d) each, in the precision of training."""
        return [self.dataset.training_rows(self.arrays, stream, self.n) for stream in self.streams()]

    def source_sample(self) -> np.ndarray:
        """(E, n, d) float64 samples of the law that a pair of laws starts from; independent of `sample`."""
        assert isinstance(self.dataset, PairDataset)
        draw = self.dataset.source_sample
        return np.stack([draw(self.arrays, source_stream(self.dataset.name, seed), self.n) for seed in self.seeds])

    def base_generators(self) -> dict[str, np.ndarray]:
        """Parameters of the trained generators that this recipe is trained on, a row a member; none otherwise."""
        if not self.base:
            return {}
        files.read_run(self._base_file().parent)
        return read_arrays(self._base_file())

    def _base_file(self) -> Path:
        assert self.base is not None
        return self.base / files.block(self.n) / files.GENERATOR

    def identity(self) -> dict[str, Any]:
        """What decides the bytes of the result, apart from machine, device and threads."""
        return {
            "dataset": self.dataset.name,
            "recipe": self.recipe_name,
            "n": self.n,
            "seeds": list(self.seeds),
            "settings": recipe_digest(self.recipe),
            "data": self.data_checksums,
            "base": sha256(self._base_file()) if self.base else None,
            "code": training_code(self.recipe, self.dataset.registered_name),
        }


def recipe_digest(recipe: Recipe) -> str:
    """sha256 of all settings of a recipe."""
    return hashlib.sha256(recipe.model_dump_json().encode()).hexdigest()
