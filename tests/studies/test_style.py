import re

import numpy as np
import pytest
from scipy import stats

from wgpipe.config import Study
from wgpipe.studies import style


def test_every_recipe_of_the_study_has_its_own_look_within_its_method(config: Study) -> None:
    crossed = {name for name in config.recipes if re.search(r"_g(\d+)c(?!\1$)", name)}  # lines of one figure, by width
    assert set(style.LOOKS) >= {*config.recipes, *config.controls} - crossed
    for method in ("vanilla", "wgan"):
        looks = [style.look(name) for name in config.recipes if name.startswith(method) and name not in crossed]
        assert len(set(looks)) == len(looks)


def test_a_variant_without_a_look_has_the_colour_of_its_base() -> None:
    assert "wgan-lp_g16c64" not in style.LOOKS
    assert style.look("wgan-lp_g16c64").colour == style.look("wgan-lp").colour


def test_an_unknown_recipe_always_looks_the_same() -> None:
    assert style.look("coulomb") == style.look("coulomb")
    assert style.look("coulomb").colour.startswith("#")


def test_the_band_is_students_interval_of_the_mean() -> None:
    values = np.random.default_rng(0).normal(size=8)
    expected = stats.ttest_1samp(values, 0).confidence_interval(0.95)
    assert style.t_interval(values) == pytest.approx((expected.low, expected.high))
    assert np.isnan(style.t_interval(values[:1])).all()


def test_the_geometric_mean_is_that_of_scipy() -> None:
    values = np.random.default_rng(0).uniform(1, 2, size=8)
    assert style.geometric_mean(values) == pytest.approx(stats.gmean(values))


def test_panels_fill_rows_and_leave_no_empty_axes() -> None:
    figure, axes = style.panels(5, 3, style.PAGE, 2.0, legend=0.5)
    assert len(axes) == len(figure.axes) == 5
    assert tuple(figure.get_size_inches()) == (style.PAGE, 4.5)
