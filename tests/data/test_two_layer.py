"""Two-layer targets are what their formula says, at the scale that their card says."""

from __future__ import annotations

import numpy as np
import pytest

from wgpipe import rng
from wgpipe.data import dataset
from wgpipe.data.planted import DoesNotFitError
from wgpipe.data.two_layer import ACTIVATIONS, TwoLayer, hidden_covariance
from wgpipe.errors import UserError

NAMES = ["two_layer-relu8-2in4", "two_layer-cubic4-2in4", "two_layer-relu8-1in2", "two_layer-cubic8-3in12"]


@pytest.mark.parametrize("name", NAMES)
def test_a_point_is_the_network_of_the_streams_noise(name: str) -> None:
    data = dataset(name)
    arrays = data.prepare({})
    points = data.draw(arrays, rng.stream("formula"), 5)
    noise = rng.stream("formula").standard_normal((5, data.card().latent))
    for point, z in zip(points, noise, strict=True):
        units = [
            sum(b * c for b, c in zip(row, z, strict=True)) + arrays["offsets"][i]
            for i, row in enumerate(arrays["inner"])
        ]
        hidden = [max(u, 0.0) if "relu" in name else u**3 for u in units]
        np.testing.assert_allclose(point, arrays["outer"] @ np.array(hidden), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("name", NAMES)
def test_the_total_variance_is_one_to_the_error_of_a_large_sample(name: str) -> None:
    data = dataset(name)
    points = data.draw(data.prepare({}), rng.stream("variance"), 200_000)
    squares = ((points - points.mean(axis=0)) ** 2).sum(axis=1)
    assert abs(squares.mean() - 1) < 4 * squares.std() / np.sqrt(len(points))


def test_the_covariance_of_cubic_units_has_a_closed_form() -> None:
    """(u + b)³ = He3 + 3b He2 + 3(1 + b²) He1 + const, and E He_q(u) He_q(v) = q! ρ^q."""
    angles, b = np.array([0.0, 0.4, 2.0]), np.array([-0.7, 0.2, 1.0])
    inner = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    rho = inner @ inner.T
    linear = 3 * (1 + b**2)
    expected = 6 * rho**3 + 18 * np.outer(b, b) * rho**2 + np.outer(linear, linear) * rho
    np.testing.assert_allclose(hidden_covariance(inner, b, ACTIVATIONS["cubic"]), expected, rtol=1e-10)


def test_the_covariance_of_relu_units_through_the_origin_is_the_arc_cosine_kernel() -> None:
    """E relu(u) relu(v) = (sin θ + (π - θ) cos θ) / 2π at angle θ (Cho & Saul 2009), and E relu(u) = 1/sqrt(2π)."""
    angles = np.array([0.0, 0.9, 2.5])
    inner = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    theta = np.arccos((inner @ inner.T).clip(-1, 1))
    expected = (np.sin(theta) + (np.pi - theta) * np.cos(theta)) / (2 * np.pi) - 1 / (2 * np.pi)
    np.testing.assert_allclose(hidden_covariance(inner, np.zeros(3), ACTIVATIONS["relu"]), expected, atol=2e-3)


def test_rows_are_unit_vectors_and_no_odd_moment_is_lost() -> None:
    for name in NAMES:
        data = dataset(name)
        arrays = data.prepare({})
        np.testing.assert_allclose(np.linalg.norm(arrays["inner"], axis=1), 1, rtol=1e-12)
        assert np.abs(arrays["offsets"]).max() <= 1
        points = data.draw(arrays, rng.stream("mean"), 100_000)
        assert np.linalg.norm(points.mean(axis=0)) > 0.1


def test_the_card_says_the_form() -> None:
    card = dataset("two_layer-cubic8-3in12").card()
    assert (card.dimension, card.intrinsic, card.latent, card.radius) == (12, 3, 3, None)
    assert card.title == "two-layer cubic network of 8 units from N(0, I_3) to R^12, total variance 1"


@pytest.mark.parametrize(
    "name", ["two_layer-tanh8-2in4", "two_layer-relu-2in4", "two_layer-relu8-2", "two_layer-relu0-1in2"]
)
def test_a_malformed_name_is_refused_with_what_is_accepted(name: str) -> None:
    with pytest.raises(UserError, match="accepted: two_layer-<relu or cubic><k>"):
        dataset(name)


@pytest.mark.parametrize("name", ["two_layer-relu8-5in4", "two_layer-relu2-3in4"])
def test_more_noise_than_units_or_dimensions_does_not_fit(name: str) -> None:
    with pytest.raises(DoesNotFitError, match="needs r <= k"):
        TwoLayer.from_name(name)
