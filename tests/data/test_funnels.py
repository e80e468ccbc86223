"""Funnels: rays against bisection, the potential as a certificate, the published pairs against the published W1."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from wgpipe import rng
from wgpipe.cli import main
from wgpipe.data import Arrays, dataset
from wgpipe.data.funnel_pair import BOX, POWER, FunnelPair, rays, uniform
from wgpipe.data.prepared import load
from wgpipe.errors import UserError

SIZES = ["1in1", "4in2", "16in8", "256in2", "4in64"]


@pytest.fixture(scope="module", params=SIZES)
def pair(request: pytest.FixtureRequest) -> tuple[FunnelPair, Arrays]:
    data = dataset(f"funnels-{request.param}")
    assert isinstance(data, FunnelPair)
    return data, data.funnels({})


def cells(funnels: Arrays, points: np.ndarray) -> np.ndarray:
    heights = np.linalg.norm(points[:, None] - funnels["centres"], axis=2) + funnels["offsets"]
    return np.asarray(np.argmin(heights, axis=1))


def test_rays_end_where_bisection_finds_their_end(pair: tuple[FunnelPair, Arrays]) -> None:
    data, funnels = pair
    points = uniform(rng.stream("rays"), 200, data.dimension)
    centre, direction, length, radius = rays(funnels, points)
    np.testing.assert_allclose(centre + radius[:, None] * direction, points, atol=1e-12)
    own = cells(funnels, points)
    np.testing.assert_array_equal(centre, funnels["centres"][own])
    inside, outside = radius.copy(), np.full_like(radius, 4 * BOX * data.dimension**0.5)
    for _ in range(60):
        middle = (inside + outside) / 2
        there = centre + middle[:, None] * direction
        held = (cells(funnels, there) == own) & (np.abs(there) <= BOX).all(axis=1)
        inside, outside = np.where(held, middle, inside), np.where(held, outside, middle)
    np.testing.assert_allclose(length, inside, rtol=1e-9)


def test_some_rays_end_at_walls_and_some_at_other_funnels() -> None:
    data = dataset("funnels-4in2")
    assert isinstance(data, FunnelPair)
    centre, direction, length, _ = rays(data.funnels({}), uniform(rng.stream("ends"), 2000, 2))
    at_walls = np.isclose(np.abs(centre + length[:, None] * direction).max(axis=1), BOX)
    assert 0.1 < at_walls.mean() < 0.9


def test_a_funnel_below_another_has_no_points_and_disturbs_no_ray() -> None:
    centres = np.array([[0.5, 0.0], [0.6, 0.0], [-1.0, 1.0]])
    points = uniform(rng.stream("below"), 1000, 2)
    without = {"centres": centres[[0, 2]], "offsets": np.array([0.0, 0.1])}
    with_it = {"centres": centres, "offsets": np.array([0.0, 0.3, 0.1])}
    for left, right in zip(rays(without, points), rays(with_it, points), strict=True):
        np.testing.assert_allclose(left, right, rtol=1e-12)


def test_points_move_along_their_rays_by_the_eighth_power(pair: tuple[FunnelPair, Arrays]) -> None:
    data, funnels = pair
    coupling = data.coupled(funnels, rng.stream("power"), 1000)
    centre, _, length, radius = rays(funnels, coupling.source)
    new_radius = np.linalg.norm(coupling.target - centre, axis=1)
    np.testing.assert_allclose(new_radius / length, (radius / length) ** POWER, atol=1e-12)
    np.testing.assert_array_equal(cells(funnels, coupling.target), cells(funnels, coupling.source))
    assert np.abs(coupling.target).max() <= BOX + 1e-12


def test_the_potential_certifies_the_coupling(pair: tuple[FunnelPair, Arrays]) -> None:
    data, funnels = pair
    coupling = data.coupled(funnels, rng.stream("certificate"), 200)
    at_target, at_source = (data.potential(funnels, side) for side in (coupling.target, coupling.source))
    lengths = np.linalg.norm(coupling.target - coupling.source, axis=1)
    np.testing.assert_allclose(at_target - at_source, lengths, atol=1e-12)
    across = np.linalg.norm(coupling.target[:, None] - coupling.source[None, :100], axis=2)
    assert (at_target[:, None] - at_source[None, :100] <= across + 1e-12).all()


def test_directions_are_gradients_of_the_potential(pair: tuple[FunnelPair, Arrays]) -> None:
    data, funnels = pair
    step = 1e-6
    coupling = data.coupled(funnels, rng.stream("gradient"), 200)
    assert coupling.direction is not None
    far = np.linalg.norm(coupling.target - funnels["centres"][cells(funnels, coupling.target)], axis=1) > 0.05
    for axis in np.eye(data.dimension)[:3]:
        ahead, behind = (data.potential(funnels, coupling.target + sign * step * axis) for sign in (1, -1))
        slope = (ahead - behind) / (2 * step)
        np.testing.assert_allclose(slope[far], (coupling.direction @ axis)[far], atol=1e-4)


def test_points_at_a_centre_stay_and_have_a_direction(pair: tuple[FunnelPair, Arrays]) -> None:
    data, funnels = pair
    own = np.unique(cells(funnels, funnels["centres"]))
    centre, direction, length, radius = rays(funnels, funnels["centres"][own])
    assert (radius == 0).all()
    assert np.isfinite(length).all()
    np.testing.assert_allclose(np.linalg.norm(direction, axis=1), 1)
    np.testing.assert_array_equal(data.transport(funnels, centre), centre)


def test_w1_of_one_funnel_on_the_line_is_its_integral() -> None:
    data = dataset("funnels-1in1")
    arrays = data.prepare({})
    assert isinstance(data, FunnelPair)
    ends = BOX + np.array([-1, 1]) * arrays["centres"][0, 0]
    exact = np.sum(ends**2) * (1 / 2 - 1 / (POWER + 1)) / (2 * BOX)
    assert abs(data.distance(arrays) - exact) <= 4 * arrays["standard_error"]
    assert arrays["standard_error"] < 1e-3 * exact


PUBLISHED = {"4in2": 0.817, "4in4": 1.385, "4in8": 1.882, "16in2": 0.466, "16in4": 1.003, "16in8": 1.585}


@pytest.mark.parametrize(("size", "w1"), PUBLISHED.items())
def test_a_published_pair_has_the_published_w1(mirror: Path, tmp_path: Path, size: str, w1: float) -> None:
    """The published numbers come from a few thousand points."""
    name = f"published_funnels-{size}"
    fetched = ["fetch", name, "--file", f"{name}.pt", "--out", str(tmp_path), "--mirror", str(mirror)]
    assert main(fetched) == 0
    assert main(["prepare", name, "--downloads", str(tmp_path), "--out", str(tmp_path)]) == 0
    card, arrays = load(tmp_path)
    data = dataset(name)
    assert card.cites == data.cites == ("korotin2022",)
    assert arrays["centres"].shape == (int(size.split("in")[0]), card.dimension)
    coupling = data.coupled(arrays, rng.stream("published"), 4096)  # type: ignore[attr-defined]
    deviation = np.linalg.norm(coupling.source - coupling.target, axis=1).std()
    assert abs(data.distance(arrays) - w1) <= 4 * deviation / np.sqrt(4096)  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", ["published_funnels-64in2", "published_funnels-4in16"])
def test_published_pairs_without_a_checksum_are_refused(name: str) -> None:
    with pytest.raises(UserError, match=rf"'{name}' has no known checksum; accepted: published_funnels-4in2, "):
        dataset(name)


@pytest.mark.parametrize("name", ["funnels-4", "funnels-0in2", "funnels-4in0", "funnels-4in2in2", "funnels"])
def test_malformed_names_are_refused(name: str) -> None:
    with pytest.raises(UserError, match=r"accepted: funnels-<k>in<D>\."):
        dataset(name)
