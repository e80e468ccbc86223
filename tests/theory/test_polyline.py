import numpy as np
import pytest

from wgpipe.metrics.transport import exact_cost
from wgpipe.theory.polyline import Polyline

# Rests for a third at (0, 0), then goes 3 in a third and 4 in a sixth, and rests at (3, 4).
BENT = Polyline(
    np.array([0, 1 / 3, 2 / 3, 2 / 3 + 1 / 6, 1]),
    np.array([[0.0, 0.0], [0.0, 0.0], [3.0, 0.0], [3.0, 4.0], [3.0, 4.0]]),
)


def test_speed_is_the_largest_length_over_duration() -> None:
    np.testing.assert_allclose(BENT.lengths, [0, 3, 4, 0])
    assert BENT.speed == pytest.approx(24)


def test_repeated_times_at_the_end_change_nothing() -> None:
    padded = Polyline(np.append(BENT.times, [1.0, 1.0]), np.append(BENT.positions, [[3.0, 4.0]] * 2, axis=0))
    assert padded.speed == BENT.speed
    for got, expected in zip(padded.atoms(4), BENT.atoms(4), strict=True):
        np.testing.assert_array_equal(got, expected)


def test_atoms_are_midpoints_of_pieces_and_rests_are_one_atom() -> None:
    points, masses = BENT.atoms(2)
    np.testing.assert_allclose(points, [[0.75, 0], [2.25, 0], [3, 1], [3, 3], [0, 0], [3, 4]])
    np.testing.assert_allclose(masses, [1 / 6, 1 / 6, 1 / 12, 1 / 12, 1 / 3, 1 / 6])


def test_the_blur_is_reached_by_one_atom_a_piece_and_falls_with_their_number() -> None:
    """A segment of length 2 against its midpoint: the mean distance is 1/2."""
    segment = Polyline(np.array([0.0, 1.0]), np.array([[0.0], [2.0]]))
    assert segment.blur(1) == pytest.approx(0.5)
    fine = ((np.arange(4000) + 0.5) / 2000)[:, None]
    for cells in (1, 4, 10):
        points, masses = segment.atoms(cells)
        np.testing.assert_allclose(masses, 1 / cells)
        assert exact_cost(fine, points, 1) == pytest.approx(segment.blur(cells), rel=1e-6)
