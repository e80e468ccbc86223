"""The configuration: what may stand in config/*.yaml and config/studies/*.yaml."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, PositiveInt, field_validator, model_validator

from wgpipe.names import Name
from wgpipe.stats.claim_test import ClaimTest

SEED_RANGE = re.compile(r"([0-9]{1,9})-([0-9]{1,9})")
MOST_POINTS = 10**9  # of a sample
MOST_SEEDS = 1_000_000  # a range with a slip of the pen would fill the memory


class Strict(BaseModel):
    """Unknown keys are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Config(Strict):
    """config/config.yaml, with the overlays given after it: one scale of the benchmark on one machine."""

    scale: Name = Field(description="names the results folder, and the section of each study that applies")
    studies: list[Name] = Field(min_length=1, description="studies to run: files in config/studies/")
    seeds: list[str] = Field(min_length=1, description="ranges of seeds such as 0-7, in whole slots")
    slot: PositiveInt = Field(8, description="seeds that train together as one block")
    threads: PositiveInt = Field(1, description="numeric threads of a job; part of what makes results the same bytes")
    device: Literal["auto", "cpu", "cuda"] = Field(
        "auto", description="where to train, and to look at images; auto: cuda where there is one"
    )
    mirror: str | None = Field(None, description="folder of local copies of downloads (host + path of the URL)")
    placed: str | None = Field(None, description="folder of the files that you download by hand (CelebA, LSUN)")
    allow_missing: bool = Field(False, description="make tables from the runs that exist, and print how many of all")
    methods: dict[Name, str] = Field({}, description="your own methods: name -> .py file that registers it")
    constraints: dict[Name, str] = Field({}, description="your own constraints, likewise")
    nets: dict[Name, str] = Field({}, description="your own networks, likewise")
    datasets: dict[Name, str] = Field({}, description="your own dataset families, likewise")
    metrics: dict[Name, str] = Field({}, description="your own metrics, likewise")

    @model_validator(mode="after")
    def _whole_slots(self) -> Config:
        self.blocks_of_seeds()
        return self

    def blocks_of_seeds(self, scale: StudyScale | None = None) -> list[tuple[int, ...]]:
        """Slots of seeds, in order, of the config or of a study's own scale. ValueError as `slots`."""
        own_seeds, own_slot = (scale.seeds, scale.slot) if scale else (None, None)
        return slots(own_seeds or self.seeds, own_slot or self.slot)


def slots(ranges: list[str], slot: int) -> list[tuple[int, ...]]:
    """Ranges such as 0-7 as slots of seeds, in order. ValueError if they overlap or cut a slot."""
    taken: dict[int, str] = {}
    for given in ranges:
        match = SEED_RANGE.fullmatch(given)
        if not match or int(match[1]) > int(match[2]):
            raise ValueError(f"seeds '{given}' is not a range such as 0-7")
        first, last = int(match[1]), int(match[2])
        if last >= MOST_SEEDS:
            raise ValueError(f"seeds '{given}' go beyond {MOST_SEEDS - 1}")
        if first % slot or (last + 1) % slot:
            example = f"{slot}-{2 * slot - 1}"
            raise ValueError(f"seeds '{given}' cut a slot; they must be whole slots of {slot}, as {example}")
        for seed in range(first, last + 1):
            if seed in taken:
                raise ValueError(f"seeds '{taken[seed]}' and '{given}' overlap at seed {seed}")
            taken[seed] = given
    seeds = sorted(taken)
    return [tuple(seeds[i : i + slot]) for i in range(0, len(seeds), slot)]


class PlantedFamilies(Strict):
    """Datasets as a product: every family, intrinsic dimension d* and ambient dimension `ambient` times d*."""

    families: list[Name] = Field(min_length=1, description="names of planted families, such as cube or surface")
    intrinsic: list[PositiveInt] = Field(min_length=1, description="intrinsic dimensions d*")
    ambient: list[PositiveInt] = Field(min_length=1, description="dimensions of the space, as multiples of d*")

    def names(self) -> list[str]:
        """`cube-2in8` for family cube, d* = 2, ambient 4."""
        return [f"{family}-{k}in{k * a}" for family in self.families for k in self.intrinsic for a in self.ambient]


class GridPart(Strict):
    """Every combination of these datasets, recipes and sample sizes."""

    datasets: list[Name] = Field([], description="names of datasets")
    planted: PlantedFamilies | None = Field(None, description="more of them, as a product of families and dimensions")
    recipes: list[Name] = Field(min_length=1, description="names of recipes of this study")
    n: list[PositiveInt] = Field(min_length=1, description="training sample sizes")

    @model_validator(mode="after")
    def _some(self) -> GridPart:
        if max(self.n) > MOST_POINTS:
            raise ValueError(f"n is larger than {MOST_POINTS}")
        if not self.dataset_names():
            raise ValueError("the grid is empty; give at least one dataset, by 'datasets' or 'planted'")
        return self

    def dataset_names(self) -> list[str]:
        """Names in the order given."""
        return [*self.datasets, *(self.planted.names() if self.planted else [])]


class StudyScale(Strict):
    """What a study runs at one scale."""

    seeds: list[str] | None = Field(None, description="ranges of seeds, in place of those of the config")
    slot: PositiveInt | None = Field(None, description="seeds that train together, in place of that of the config")
    grid: list[GridPart] = Field(min_length=1, description="the union of these products")
    training: dict[str, Any] = Field({}, description="training settings of this scale, over those of the recipes")
    recipes: dict[Name, dict[str, Any]] = Field(
        {}, description="settings of single recipes at this scale, over all others"
    )
    metrics: dict[Name, dict[str, Any]] = Field(
        {}, description="metric settings of this scale, over those of the study"
    )
    gpu: list[Name] = Field([], description="recipes whose training asks for a GPU on a cluster")


class Claim(Strict):
    """A statement of a paper with the test that decides it, fixed before anything runs."""

    statement: str = Field(description="what the paper says, in one sentence")
    prediction: str = Field(description="in words and symbols, as it is printed")
    grade: Literal["READ", "DERIVED", "RECALLED", "to measure"] = Field(description="how sure the statement is")
    checked: bool = Field(False, description="a small numeric run agrees with the statement")
    source: str = Field(description="paper and place")
    recipes: list[str] = Field(min_length=1, description="recipes it speaks of; the study says in which roles")
    parameters: dict[str, float] = Field({}, description="numbers of the test that are not its bound")
    test: ClaimTest = Field(description="what the measured number must be for the claim to be supported")
    figure: Name = Field(description="file in the study's folder, without extension")
    table: Name = Field(description="file in the study's folder, without extension")
    caveat: str = Field("", description="what a reader of the verdict has to know besides; printed beside it")


class Pictures(Strict):
    """Images that a study draws, of each dataset of images and recipe."""

    generated: PositiveInt = Field(40, description="generated images of each seed")
    neighbours: PositiveInt = Field(
        8, description="of them, those of the first seed that have their nearest training images beside them"
    )


class Study(Strict):
    """config/studies/<study>.yaml: one paper's claims and what is run to decide them."""

    study: Name = Field(description="the file's name without .yaml, and that of the file in wgpipe/studies/")
    title: str = Field(description="one line, for reports")
    cites: list[str] = Field([], description="keys of the bibliography")
    defaults: dict[str, Any] = Field({}, description="settings that every recipe starts from")
    recipes: dict[Name, dict[str, Any]] = Field(min_length=1, description="name -> settings over the defaults")
    controls: list[Name] = Field(["oracle"], description="methods run on every dataset and n; oracle gives the nulls")
    metrics: dict[Name, dict[str, Any]] = Field(min_length=1, description="metric -> its settings")
    scales: dict[Name, StudyScale] = Field(
        min_length=1, description="scale -> what is run; `scale` of the config picks"
    )
    tables: list[Name] = Field([], description="tables that the study writes, as .csv")
    latex: list[Name] = Field([], description="those of them that it writes as .tex too")
    figures: list[Name] = Field([], description="figures that it writes, as .pdf, .svg and .png")
    pictures: Pictures | None = Field(None, description="images that its figures show; none: it has no such figures")
    claims: dict[Name, Claim] = Field({}, description="identifier -> claim, judged after the run")

    @field_validator("controls")
    @classmethod
    def _with_nulls(cls, controls: list[str]) -> list[str]:
        if "oracle" not in controls:
            raise ValueError("must contain oracle, which gives the nulls")
        return controls


def study_file(folder: Path, study: str) -> Path:
    """Where a study's settings stand."""
    return folder / "studies" / f"{study}.yaml"
