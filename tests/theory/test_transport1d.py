"""The constants of W1 between empirical measures on the line."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import expon, norm

from wgpipe.metrics.transport import line_costs
from wgpipe.rng import stream
from wgpipe.theory.transport1d import bridge_constant, expected_w1, normal_constant, uniform_constant


def test_published_constants() -> None:
    assert uniform_constant() == pytest.approx(0.3133, abs=5e-5)
    assert expected_w1(uniform_constant(), 1, 1) == pytest.approx(0.4431, abs=5e-5)
    assert normal_constant() == pytest.approx(1.2884, abs=5e-5)
    assert expected_w1(normal_constant(), 1, 1) == pytest.approx(1.8220, abs=5e-5)


def test_closed_forms_are_the_integral() -> None:
    assert bridge_constant(lambda x: x, 0, 1) == pytest.approx(uniform_constant(), rel=1e-8)
    assert bridge_constant(norm.cdf, -9, 9) == pytest.approx(normal_constant(), rel=1e-8)
    assert bridge_constant(expon.cdf, 0) == pytest.approx(np.sqrt(2 / np.pi) * np.pi / 2, rel=1e-6)


def test_expected_w1_falls_with_the_root_of_either_size() -> None:
    assert expected_w1(1.0, 100) == pytest.approx(0.1)
    assert expected_w1(1.0, 400, 400) == pytest.approx(np.sqrt(2) / 20)
    assert expected_w1(1.0, 25, 10**12) == pytest.approx(0.2)


def test_one_sample_against_its_law_has_the_constant() -> None:
    """W1(P, P_n) with P the midpoints of 16n cells, n = 512: within 4 standard errors of 300 repetitions."""
    n = 512
    samples = stream("test-one-sample").random((n, 300))
    law = np.repeat((np.arange(16 * n)[:, None] + 0.5) / (16 * n), 300, axis=1)
    values = line_costs(samples, law, 1)
    error = values.std(ddof=1) / np.sqrt(300)
    assert values.mean() == pytest.approx(expected_w1(uniform_constant(), n), abs=4 * error)
