"""Pairs on the line against closed forms, sorted samples and distribution functions."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
from scipy import stats
from scipy.integrate import quad
from scipy.optimize import brentq
from scipy.special import ndtr

from wgpipe import rng
from wgpipe.data import dataset
from wgpipe.data.line_laws import SOURCES, TARGETS
from wgpipe.data.line_pair import LinePair
from wgpipe.errors import UserError

PAIRS = [f"line_pair-{source}-{target}" for source in SOURCES for target in TARGETS]


def cdf(law: str, x: np.ndarray) -> np.ndarray:
    known = {
        "uniform": x.clip(0, 1),
        "mixture": (ndtr(2 * (x - 2)) + ndtr(2 * (x + 2))) / 2,
        "normal": ndtr(x),
        "exponential": -np.expm1(-x.clip(min=0)),
    }
    return np.asarray(known[law])


def test_the_half_squared_w2_has_its_closed_form() -> None:
    exact = {"normal": 2 / 3 - 1 / (2 * np.sqrt(np.pi)), "exponential": 5 / 12}
    for target, value in exact.items():
        data = LinePair.from_name(f"line_pair-uniform-{target}")
        np.testing.assert_allclose(data.half_squared_w2(data.prepare({})), value, rtol=1e-8)


def difference(data: LinePair, x: np.ndarray) -> np.ndarray:
    return cdf(data.origin, x) - cdf(data.goal, x)


@pytest.mark.parametrize("name", PAIRS)
def test_w1_is_the_area_between_distribution_functions(name: str) -> None:
    data = LinePair.from_name(name)
    area = quad(lambda x: abs(difference(data, np.array(x))), -10, 40, limit=400, points=[-2, 0, 1, 2])[0]
    np.testing.assert_allclose(data.distance(data.prepare({})), area, rtol=1e-6)


@pytest.mark.parametrize("name", PAIRS)
def test_samples_and_images_of_samples_have_their_laws(name: str) -> None:
    data = LinePair.from_name(name)
    source, target = (draw({}, rng.stream("laws"), 5000)[:, 0] for draw in (data.draw_source, data.draw))
    image = data.coupled({}, rng.stream("laws"), 5000).target[:, 0]
    for points, law in ((source, data.origin), (target, data.goal), (image, data.goal)):
        assert stats.kstest(points, partial(cdf, law)).pvalue > 1e-3


@pytest.mark.parametrize("name", PAIRS)
def test_directions_are_signs_of_the_difference_of_distribution_functions(name: str) -> None:
    data = LinePair.from_name(name)
    coupling = data.coupled({}, rng.stream("signs"), 300)
    assert coupling.direction is not None
    slopes = difference(data, coupling.target)
    clear = np.abs(slopes) > 1e-9
    np.testing.assert_array_equal(coupling.direction[clear], np.sign(slopes[clear]))


def test_where_quantile_functions_cross_both_directions_occur() -> None:
    data = LinePair.from_name("line_pair-uniform-normal")
    crossing = brentq(lambda p: ndtr(p) - p, 0.5, 1)
    coupling = data.coupled({}, rng.stream("crossing"), 1000)
    np.testing.assert_array_equal(coupling.direction, np.where(coupling.source > crossing, 1, -1))
    assert 0.15 < (coupling.source > crossing).mean() < 0.3


def test_far_tails_keep_their_precision() -> None:
    data = LinePair.from_name("line_pair-mixture-normal")
    far = np.array([[-7.0], [7.0]])
    image = data.transport({}, far)
    assert image is not None
    np.testing.assert_allclose(image[1], -image[0], rtol=1e-12)
    np.testing.assert_allclose(stats.norm.logsf(image[1]), np.log(0.5) + stats.norm.logsf(10), rtol=1e-9)


@pytest.mark.parametrize("name", ["line_pair", "line_pair-normal-uniform", "line_pair-uniform"])
def test_malformed_names_are_refused(name: str) -> None:
    with pytest.raises(UserError, match="accepted: line_pair-uniform-normal, line_pair-uniform-exponential"):
        dataset(name)
