"""Runs of `coulomb_images` whose numbers are known by construction, and pictures of flat images."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pandas as pd

from tests.studies.truth_runs import COLUMNS
from wgpipe.metrics.picture_file import Pictures

SMALL = ("mnist-14x14", "fashion_mnist-14x14")
PAPER = ("celeba-64x64", "lsun_bedroom-64x64")
DIMENSIONS = {"mnist-14x14": 196, "fashion_mnist-14x14": 196, "celeba-64x64": 12288, "lsun_bedroom-64x64": 12288}
TRAINED = (
    "coulomb_images",
    "wgan-gp_images",
    "wgan-gp_ttur",
    "wgan-lp_images",
    "dcgan",
    "dcgan_ttur",
    "began_images",
    "mmd-gan_images",
)
FIDS = {"wgan-gp_images": 10.0, "coulomb_images": 20.0, "dcgan": 30.0, "began_images": 40.0, "gaussian_images": 60.0}
NULLS = {
    "fid": 1.0,
    "image_birthday_support": 4e5,
    "pixel_neighbour_ratio": 1.0,
    "feature_neighbour_ratio": 1.0,
    "feature_w1": 0.5,
}
COMPARABLE = "fid[inception,n=50000]"

Law = Callable[[str, str], float]  # dataset, recipe -> a metric's mean over seeds


def fids(order: Mapping[str, float]) -> Law:
    """FIDs by recipe, those of the published order where `order` does not say; twice as large on the second dataset."""
    return lambda data, recipe: {**FIDS, **order}.get(recipe, 35.0) * (2 if data == SMALL[1] else 1)


def image_runs(
    laws: Mapping[str, Law] | None = None,
    seeds: Sequence[int] = range(3),
    noise: float = 0.02,
    diverged: Callable[[str, int], bool] = lambda recipe, seed: False,
    datasets: Sequence[str] = SMALL,
    protocol: str = "fid[classifier-1a2b3c4d,n=2000,test]",
) -> pd.DataFrame:
    """All methods on `datasets`; `laws` replace usual ones, `protocol` is that of the FID and names its extractor."""
    extractor = protocol.partition("[")[2].partition(",")[0].partition("-")[0]
    every: dict[str, Law] = {
        "fid": fids({}),
        "kid": lambda data, recipe: 0.02,
        "precision": lambda data, recipe: 0.7,
        "recall": lambda data, recipe: 0.5,
        "classes_balanced": lambda data, recipe: 10.0 if recipe == "coulomb_images" else 7.0,
        "class_imbalance": lambda data, recipe: 0.05,
        "confident": lambda data, recipe: 0.8,
        "image_birthday_size": lambda data, recipe: 700.0,
        "image_birthday_support": lambda data, recipe: 3.8e5,
        "pixel_neighbour_ratio": lambda data, recipe: 0.0 if recipe == "empirical" else 1.0,
        "feature_neighbour_ratio": lambda data, recipe: 0.0 if recipe == "empirical" else 1.0,
        "feature_w1": lambda data, recipe: 1.0,
        "feature_w2": lambda data, recipe: 1.4,
        **(laws or {}),
    }
    rows = []
    for data in datasets:
        for recipe in (*TRAINED, "gaussian_images", "empirical", "oracle"):
            for name, law in every.items():
                null = NULLS.get(name, np.nan)
                centre = null if recipe == "oracle" and np.isfinite(null) else law(data, recipe)
                scored = name in ("fid", "kid", "precision", "recall")
                metric = f"{name}:{extractor}" if scored else name
                about = protocol.replace("fid", name) if scored else f"{name}[generated=2000]"
                for seed in seeds:
                    lost = diverged(recipe, seed)
                    value = np.nan if lost else centre * (1 + noise * np.cos(3 * seed + len(name)))
                    run = (data, DIMENSIONS[data], np.nan, recipe, 10000, seed, "diverged" if lost else "ok")
                    rows.append((*run, metric, value, null, value - null, about))
    return pd.DataFrame(rows, columns=COLUMNS).astype({"intrinsic": "float64"})


def pictures(
    datasets: Sequence[str] = SMALL, features: bool = True, shape: tuple[int, int, int] = (1, 14, 14)
) -> list[Pictures]:
    """Of every recipe: image k of 40 is flat, of the grey 6k; its nearest in pixels is black, in features white."""
    made = np.broadcast_to(np.arange(40, dtype=np.uint8).reshape(1, 40, 1, 1, 1) * 6, (3, 40, *shape))
    black, white = np.zeros((8, *shape), np.uint8), np.full((8 if features else 0, *shape), 255, np.uint8)
    recipes = ("oracle", "empirical", *TRAINED, "gaussian_images")
    seeds = np.arange(3)
    return [
        Pictures(data, recipe, 10000, seeds, made, made[0, :8], black, white) for data in datasets for recipe in recipes
    ]
