"""Which scores, datasets and published numbers the tables, figures and claims of `coulomb_images` speak of."""

from __future__ import annotations

import functools
import re

import numpy as np
import pandas as pd

from wgpipe.studies import arrange
from wgpipe.studies.published_scores import FOLDER

SCORES = ("fid", "kid", "precision", "recall", "isc")
QUANTITY = re.compile(rf"(?P<score>{'|'.join(SCORES)}):(?P<extractor>.+)")
COMPARABLE = "fid[inception,n=50000]"  # as published: by Inception-v3 of 2015-12-05, over 50 000 images
CLASSIFIER, INCEPTION = "classifier", "inception"
PAPER = {"celeba-64x64": "CelebA", "lsun_bedroom-64x64": "LSUN bedrooms", "cifar10-32x32": "CIFAR-10"}
METHODS = {  # recipe -> method and training, as they are called where they are published
    "began_images": ("BEGAN", "one rate"),
    "dcgan": ("DCGAN", "one rate"),
    "dcgan_ttur": ("DCGAN", "two time scales"),
    "coulomb_images": ("Coulomb", "two time scales"),
    "wgan-gp_images": ("WGAN-GP", "one rate"),
    "wgan-gp_ttur": ("WGAN-GP", "two time scales"),
}


@functools.cache
def published_fid() -> pd.DataFrame:
    """dataset, method, training, fid, grade, source."""
    return pd.read_csv(FOLDER / "image_fid.csv")


def published(recipe: str, dataset: str) -> float:
    """Published FID of the method and training of a recipe, on a dataset of the papers; NaN where there is none."""
    table = published_fid()
    method, training = METHODS.get(recipe, ("", ""))
    found = table[(table["dataset"] == dataset) & (table["method"] == method) & (table["training"] == training)]
    return float(found["fid"].iloc[0]) if len(found) else np.nan


def scored(runs: pd.DataFrame) -> pd.DataFrame:
    """Rows of the image scores with two columns more, `score` and `extractor`: of `fid:classifier`, both parts."""
    rows = runs[runs["metric"].str.fullmatch(QUANTITY.pattern)]
    parts = rows["metric"].str.extract(QUANTITY.pattern)
    return rows.assign(score=parts["score"], extractor=parts["extractor"])


def with_floors_of_equal_size(runs: pd.DataFrame) -> pd.DataFrame:
    """All rows but those of real images under a protocol of their own, since there are too few for the others'."""
    real, names = runs["recipe"] == arrange.NULL_CONTROL, ["dataset", "metric", "protocol"]
    methods = pd.MultiIndex.from_frame(runs.loc[~real, names])
    return runs[~real | pd.MultiIndex.from_frame(runs[names]).isin(methods)]


def extractors(runs: pd.DataFrame) -> list[str]:
    """Extractors of the scores: the published one first, then those that looked at more datasets, then by name."""
    seen = scored(runs).groupby("extractor")["dataset"].nunique()
    return sorted(seen.index, key=lambda name: (name != INCEPTION, -seen[name], name))
