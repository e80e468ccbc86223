"""Small prepared datasets, recipes and trained blocks, for tests of whatever reads them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from wgpipe.data import dataset
from wgpipe.data.prepared import save
from wgpipe.fetch import fetch
from wgpipe.hashes import sha256
from wgpipe.recipe import Recipe
from wgpipe.train import files
from wgpipe.train.bundle import train
from wgpipe.train.job import Job

N, SEEDS = 16, (0, 1)
NET = {"name": "mlp", "hidden": [8, 8]}


def prepared(folder: Path, name: str = "surface-2in3") -> Path:
    """A folder with data.npz and card.json."""
    chosen = dataset(name)
    downloads = {source.file: fetch(source, folder / "downloads", None, progress=False) for source in chosen.sources()}
    save(folder / name, chosen, chosen.prepare(downloads))
    return folder / name


def write_recipe(folder: Path, name: str, recipe: Recipe) -> Path:
    """A recipe as `wgpipe resolve` writes it."""
    file = folder / f"{name}.json"
    file.write_text(recipe.model_dump_json())
    return file


def adversarial(method: str = "vanilla", constraint: str = "none", **training: Any) -> Recipe:
    """Two small networks against each other, 20 steps long unless `training` says otherwise."""
    return Recipe.model_validate(
        {
            "method": {"name": method},
            "constraint": {"name": constraint},
            "generator": NET,
            "critic": NET,
            "training": {"steps": 20, "batch": 32, "checkpoint_steps": 100, **training},
        }
    )


def control(method: str) -> Recipe:
    """A reference that is not trained."""
    return Recipe.model_validate({"method": {"name": method}})


def job(data: Path, recipe: Recipe, name: str = "toy", n: int = N, seeds: tuple[int, ...] = SEEDS) -> Job:
    """What a block is trained from, by way of a recipe's file."""
    return Job.read(write_recipe(data.parent, name, recipe), data, n, seeds)


def signed(folder: Path) -> Path:
    """A block's folder after its record was told what its files have become."""
    run = json.loads((folder / files.RUN).read_text())
    run["sha256"] = {name: sha256(folder / name) for name in files.TRAINED}
    files.write_json(folder / files.RUN, run)
    return folder


def trained(made: Job, bundle: Path, path: str = "auto") -> Path:
    """The folder of a block, trained by itself."""
    train(bundle, [made], threads=1, device="cpu", path=path)
    return bundle / files.block(made.n)
