"""Which runs and quantities the tables, figures and claims of `coulomb` speak of."""

from __future__ import annotations

import functools

import numpy as np
import pandas as pd

from wgpipe.data import dataset
from wgpipe.data.mixture import Mixture
from wgpipe.metrics.field import SEPARATOR
from wgpipe.stats.intervals import Interval
from wgpipe.studies import arrange, style
from wgpipe.studies.published_scores import FOLDER

DRAWN = ("scatter_", "charge_")  # prefixes of quantities that are points of a picture
OURS = "our runs"  # the source of rows that are not published by others
REAL = "real data"  # what the oracle is called where it stands among methods


@functools.cache
def published_modes() -> pd.DataFrame:
    """dataset, method, modes, error (a standard error, NaN where none is given), source, protocol."""
    return pd.read_csv(FOLDER / "modes.csv")


def numbers(runs: pd.DataFrame) -> pd.DataFrame:
    """Runs without the points of pictures."""
    drawn: pd.DataFrame = runs[~runs["metric"].str.startswith(DRAWN)]
    return drawn


def indexed(runs: pd.DataFrame, quantity: str) -> pd.DataFrame:
    """Finished rows of a quantity such as `stuck:2.5`, with what stands behind its name as a number, `at`."""
    rows = runs[runs["metric"].str.startswith(f"{quantity}{SEPARATOR}") & (runs["status"] == "ok")]
    at = np.asarray([name.rpartition(SEPARATOR)[2] for name in rows["metric"]], dtype=np.float64)
    chosen: pd.DataFrame = rows.assign(at=at)[np.isfinite(rows["value"])]
    return chosen


def mean(values: pd.Series) -> Interval:
    """Mean of what is finite, with Student's 95 % interval; NaN where there is nothing."""
    finite = values.to_numpy(dtype=np.float64)
    finite = finite[np.isfinite(finite)]
    return Interval(float(finite.mean()), *style.t_interval(finite)) if len(finite) else Interval(*[np.nan] * 3)


def means(rows: pd.DataFrame, by: str) -> tuple[np.ndarray, list[Interval]]:
    """The values of a column, ascending, and the mean of the runs at each of them."""
    places = np.sort(rows[by].unique())
    return places, [mean(rows[rows[by] == place]["value"]) for place in places]


def modes_of(name: str) -> float:
    """Number of modes of a mixture; NaN for other data."""
    data = dataset(name)
    return float(len(data.modes())) if isinstance(data, Mixture) else np.nan


def named(recipe: str) -> str:
    """How a recipe is called in tables and figures."""
    return REAL if recipe == arrange.NULL_CONTROL else recipe
