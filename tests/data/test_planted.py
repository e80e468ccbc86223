"""Cubes, tori and spheres against their closed forms, and what all planted shapes share."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from scipy.spatial.distance import pdist

from wgpipe import rng
from wgpipe.data import dataset
from wgpipe.data.planted import RADIUS, DoesNotFitError, orthonormal
from wgpipe.errors import UserError

FITTING = [
    f"{family}-{intrinsic}in{dimension}"
    for family, smallest in [("cube", lambda k: k), ("torus", lambda k: 2 * k), ("sphere", lambda k: k + 1)]
    for intrinsic in (1, 2, 3, 4)
    for dimension in (intrinsic, 4 * intrinsic, 16 * intrinsic)
    if dimension >= smallest(intrinsic)
]
SURFACES = [f"surface-{k}in{d}" for k in (1, 2, 3, 4) for d in (k + 1, 4 * k, 16 * k)]


def draw(name: str, count: int = 5000) -> np.ndarray:
    data = dataset(name)
    return data.draw(data.prepare({}), rng.stream("test", name), count)


def own_coordinates(name: str, count: int = 5000) -> np.ndarray:
    return draw(name, count) @ dataset(name).prepare({})["embedding"]


@pytest.mark.parametrize("name", FITTING + SURFACES)
def test_the_embedding_is_isometric(name: str) -> None:
    embedding = dataset(name).prepare({})["embedding"]
    assert embedding.shape[0] == dataset(name).card().dimension
    np.testing.assert_allclose(embedding.T @ embedding, np.eye(embedding.shape[1]), atol=1e-13)
    points = draw(name, 50)
    np.testing.assert_allclose(pdist(points @ embedding), pdist(points), rtol=1e-9)


def test_orthonormal_matrices_have_no_preferred_direction() -> None:
    stream = rng.stream("haar")
    columns = np.array([orthonormal(stream, 3, 2)[:, 0] for _ in range(4000)])
    np.testing.assert_allclose(columns.mean(axis=0), 0, atol=5 / np.sqrt(3 * 4000))
    assert stats.kstest(columns[:, 2], stats.uniform(-1, 2).cdf).pvalue > 1e-3  # Archimedes: heights are uniform


@pytest.mark.parametrize("name", FITTING + SURFACES)
def test_no_two_points_are_further_apart_than_the_card_says(name: str) -> None:
    assert dataset(name).card().radius == RADIUS
    assert 1.2 * RADIUS < pdist(draw(name, 600)).max() <= 2 * RADIUS * (1 + 1e-12)


@pytest.mark.parametrize("name", FITTING + SURFACES)
def test_points_are_centred(name: str) -> None:
    np.testing.assert_allclose(np.linalg.norm(draw(name).mean(axis=0)), 0, atol=0.1)


@pytest.mark.parametrize("name", ["cube-1in1", "cube-2in8", "cube-4in16"])
def test_a_cube_has_independent_uniform_coordinates(name: str) -> None:
    intrinsic = dataset(name).card().intrinsic
    assert intrinsic is not None
    half = RADIUS / np.sqrt(intrinsic)
    points = own_coordinates(name)
    for column in points.T:
        assert stats.kstest(column, stats.uniform(-half, 2 * half).cdf).pvalue > 1e-3
    np.testing.assert_allclose(np.cov(points.T), half**2 / 3 * np.eye(intrinsic), atol=0.06)


@pytest.mark.parametrize("name", ["torus-1in2", "torus-2in8", "torus-4in64"])
def test_a_torus_is_a_product_of_circles_with_uniform_angles(name: str) -> None:
    intrinsic = dataset(name).card().intrinsic
    assert intrinsic is not None
    points = own_coordinates(name)
    cosines, sines = points[:, :intrinsic], points[:, intrinsic:]
    np.testing.assert_allclose(np.hypot(cosines, sines), RADIUS / np.sqrt(intrinsic), rtol=1e-12)
    angles = np.arctan2(sines, cosines)
    for column in angles.T:
        assert stats.kstest(column, stats.uniform(-np.pi, 2 * np.pi).cdf).pvalue > 1e-3
    np.testing.assert_allclose(np.corrcoef(angles.T), np.eye(intrinsic), atol=5 / np.sqrt(len(points)))


@pytest.mark.parametrize("name", ["sphere-1in2", "sphere-2in8", "sphere-4in64"])
def test_a_sphere_is_uniform(name: str) -> None:
    """A coordinate t of a uniform point on S^k has density ∝ (1 - t²)^(k/2 - 1): (1 + t)/2 ~ Beta(k/2, k/2)."""
    intrinsic = dataset(name).card().intrinsic
    assert intrinsic is not None
    np.testing.assert_allclose(np.linalg.norm(draw(name), axis=1), RADIUS, rtol=1e-12)
    for column in own_coordinates(name).T:
        law = stats.beta(intrinsic / 2, intrinsic / 2)
        assert stats.kstest((1 + column / RADIUS) / 2, law.cdf).pvalue > 1e-3


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("cube-2in1", "a cube of dimension 2 needs d > 1"),
        ("torus-2in2", "a torus of dimension 2 needs d > 3"),
        ("torus-2in3", "a torus of dimension 2 needs d > 3"),
        ("sphere-2in2", "a sphere of dimension 2 needs d > 2"),
        ("surface-3in3", "a smooth surface of dimension 3 needs d > 3"),
    ],
)
def test_a_shape_that_does_not_fit_says_why(name: str, reason: str) -> None:
    with pytest.raises(DoesNotFitError, match=f"^dataset '{name}' does not exist: {reason}.$"):
        dataset(name)


@pytest.mark.parametrize(
    "name",
    ["sphere", "sphere-", "sphere-2", "sphere-2in", "sphere-0in3", "sphere-02in3", "sphere-2in8x", "sphere-2ni8"],
)
def test_a_malformed_name_is_no_exclusion_but_a_mistake(name: str) -> None:
    with pytest.raises(UserError, match=r"accepted: sphere-<d\*>in<d> with d > d\*") as caught:
        dataset(name)
    assert not isinstance(caught.value, DoesNotFitError)
