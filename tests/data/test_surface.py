"""Surfaces are uniform in their own area, which is computed here from finite differences."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import integrate, stats

from wgpipe import rng
from wgpipe.data import Arrays, dataset
from wgpipe.data.surface import HEIGHT_SQUARED, Surface, area_bound, area_element, graph


def surface(name: str) -> tuple[Surface, Arrays]:
    data = dataset(name)
    assert isinstance(data, Surface)
    return data, data.prepare({})


def parameters(name: str, count: int) -> np.ndarray:
    data, arrays = surface(name)
    points = data.draw(arrays, rng.stream("test", name), count)
    return (points @ arrays["embedding"] / data.scale)[:, : data.intrinsic]


def numeric_area(arrays: Arrays, u: np.ndarray, step: float = 1e-5) -> np.ndarray:
    """(m,) square root of the Gram determinant of central differences of the graph."""
    directions = step * np.eye(u.shape[1])
    tangents = np.stack([graph(arrays, u + e) - graph(arrays, u - e) for e in directions]) / (2 * step)
    return np.sqrt(np.linalg.det(np.einsum("pmd,qmd->mpq", tangents, tangents)))


@pytest.mark.parametrize("name", ["surface-1in2", "surface-2in8", "surface-3in4", "surface-4in64"])
def test_the_area_element_is_that_of_the_graph_and_below_its_bound(name: str) -> None:
    data, arrays = surface(name)
    u = rng.stream("u").uniform(-1, 1, size=(300, data.intrinsic))
    np.testing.assert_allclose(area_element(arrays, u), numeric_area(arrays, u), rtol=1e-7)
    assert area_element(arrays, u).max() <= area_bound(arrays)
    assert area_element(arrays, u).mean() > 0.3 * area_bound(arrays)


@pytest.mark.parametrize("name", ["surface-1in2", "surface-1in16"])
def test_a_curve_is_uniform_in_arc_length(name: str) -> None:
    _, arrays = surface(name)
    axis = np.linspace(-1, 1, 4001)
    length = integrate.cumulative_trapezoid(numeric_area(arrays, axis[:, None]), axis, initial=0)
    u = parameters(name, 10000)[:, 0]
    assert stats.kstest(np.interp(u, axis, length / length[-1]), stats.uniform.cdf).pvalue > 1e-3
    if name == "surface-1in2":
        assert stats.kstest(u, stats.uniform(-1, 2).cdf).pvalue < 1e-6


@pytest.mark.parametrize("name", ["surface-2in3", "surface-2in8"])
def test_a_surface_is_uniform_in_area(name: str) -> None:
    _, arrays = surface(name)
    cells, fine, count = 5, 40, 20000
    axis = (np.arange(cells * fine) + 0.5) / (cells * fine) * 2 - 1
    u = np.stack(np.meshgrid(axis, axis, indexing="ij"), axis=-1).reshape(-1, 2)
    area = numeric_area(arrays, u).reshape(cells, fine, cells, fine).sum(axis=(1, 3)).ravel()
    sample = parameters(name, count)
    counts, _, _ = np.histogram2d(*sample.T, bins=cells, range=[(-1, 1), (-1, 1)])
    assert stats.chisquare(counts.ravel(), count * area / area.sum()).pvalue > 1e-3
    assert stats.chisquare(counts.ravel()).pvalue < 1e-6


@pytest.mark.parametrize("name", ["surface-1in2", "surface-2in8", "surface-4in64"])
def test_points_lie_on_the_graph(name: str) -> None:
    data, arrays = surface(name)
    points = data.draw(arrays, rng.stream("test", name), 500)
    own = points @ arrays["embedding"] / data.scale
    np.testing.assert_allclose(own, graph(arrays, own[:, : data.intrinsic]), atol=1e-12)


@pytest.mark.parametrize("name", ["surface-1in2", "surface-1in16", "surface-2in8", "surface-4in64"])
def test_amplitudes_have_a_fixed_sum_of_squares(name: str) -> None:
    _, arrays = surface(name)
    np.testing.assert_allclose(np.square(arrays["amplitudes"]).sum(), HEIGHT_SQUARED)


@pytest.mark.parametrize("name", ["surface-1in4", "surface-2in8", "surface-3in12"])
def test_surfaces_are_curved(name: str) -> None:
    """An affine function of u leaves at least a tenth of the variance of the heights unexplained."""
    data, arrays = surface(name)
    u = rng.stream("u").uniform(-1, 1, size=(2000, data.intrinsic))
    heights = graph(arrays, u)[:, data.intrinsic :]
    design = np.column_stack([np.ones(len(u)), u])
    residual = heights - design @ np.linalg.lstsq(design, heights, rcond=None)[0]
    assert residual.var(axis=0).sum() > 0.1 * heights.var(axis=0).sum()


def test_heights_have_mean_zero_over_the_parameters() -> None:
    _, arrays = surface("surface-1in4")
    axis = np.linspace(-1, 1, 2001)
    heights = graph(arrays, axis[:, None])[:, 1:]
    np.testing.assert_allclose(integrate.simpson(heights, x=axis, axis=0), 0, atol=1e-10)
