"""Which code a result depends on, as fingerprints. Imports nothing of what it names."""

from __future__ import annotations

from pathlib import Path

from wgpipe import registry
from wgpipe.audit.fingerprint import fingerprint
from wgpipe.recipe import Recipe

TRAINING_VERSIONS = ("torch", "numpy")
MEASURING_VERSIONS = ("torch", "numpy", "scipy", "pot")
EXTRACTOR_VERSIONS = (*TRAINING_VERSIONS, "torch-fidelity")
STUDY_VERSIONS = ("numpy", "scipy", "pandas", "matplotlib", "seaborn")


def training_code(recipe: Recipe, family: str) -> str:
    """Of a block: the engine, and the pieces that the recipe and the dataset's family name."""
    entries: list[Path | str] = ["wgpipe.train.bundle", *recipe.files(), registry.file_of("dataset", family)]
    return fingerprint(entries, TRAINING_VERSIONS)


def preparing_code(family: str) -> str:
    """Of a prepared dataset."""
    return fingerprint(["wgpipe.data.prepared", registry.file_of("dataset", family)], ("numpy", "pillow"))


def classifier_code() -> str:
    """Of the weights of a classifier that is trained on a dataset, to see its images."""
    return fingerprint(["wgpipe.extractors.classifier_training"], EXTRACTOR_VERSIONS)


def features_code(extractor: str) -> str:
    """Of the features of real images, besides the weights; extractors of one network share them."""
    file = registry.file_of("extractor", extractor.partition("@")[0])
    return fingerprint(["wgpipe.extractors.reference", file], EXTRACTOR_VERSIONS)


def metric_code(metric: str) -> str:
    """Of a measured value, besides the trained block itself."""
    return fingerprint(["wgpipe.train.evaluate", registry.file_of("metric", metric)], MEASURING_VERSIONS)


def picture_code() -> str:
    """Of the images that a study draws, besides the trained blocks themselves."""
    return fingerprint(["wgpipe.metrics.pictures"], MEASURING_VERSIONS)


def study_code(study: str) -> str:
    """Of a study's tables, figures and claims."""
    return fingerprint(["wgpipe.studies.build", registry.file_of("study", study)], STUDY_VERSIONS)


def claims_code() -> str:
    """Of the ledger that joins the claims of all studies, and of its quality control."""
    return fingerprint(["wgpipe.studies.ledger_files"], ("numpy", "pandas", "scipy"))


def ranking_code() -> str:
    """Of the ranking of methods over all studies."""
    return fingerprint(["wgpipe.studies.ranking"], (*STUDY_VERSIONS, "scikit-posthocs", "statsmodels"))


def manifest_code() -> str:
    """Of the manifest of a results folder."""
    return fingerprint(["wgpipe.audit.manifest"])


def whole_code() -> str:
    """Of the whole package: what a check of the configuration depends on."""
    files: list[Path | str] = [file for kind in registry.FOLDERS for file in registry.package_files(kind).values()]
    return fingerprint(["wgpipe.resolve", "wgpipe.grid", *files])
