import itertools

import numpy as np
import pytest
from scikit_posthocs import posthoc_wilcoxon
from scipy import stats

from wgpipe.stats.rankings import adjusted, compare, nemenyi, rank_methods, shared_cells

# Demšar 2006, Statistical comparisons of classifiers over multiple data sets, table 6: accuracies of four classifiers.
DEMSAR = {
    "C4.5": [0.763, 0.599, 0.954, 0.628, 0.882, 0.936, 0.661, 0.583, 0.775, 1.0, 0.940, 0.619, 0.972, 0.957],
    "C4.5+m": [0.768, 0.591, 0.971, 0.661, 0.888, 0.931, 0.668, 0.583, 0.838, 1.0, 0.962, 0.666, 0.981, 0.978],
    "C4.5+cf": [0.771, 0.590, 0.968, 0.654, 0.886, 0.916, 0.609, 0.563, 0.866, 1.0, 0.965, 0.614, 0.9751, 0.946],
    "C4.5+m+cf": [0.798, 0.569, 0.967, 0.657, 0.898, 0.931, 0.685, 0.625, 0.875, 1.0, 0.962, 0.669, 0.975, 0.970],
}
METHODS = list(DEMSAR)
SCORES = np.repeat(-np.asarray(list(DEMSAR.values())).T[:, :, None], 2, axis=2)  # two seeds that agree


@pytest.fixture(scope="module")
def noisy():
    """12 cells, three methods, 8 seeds: b is worse than a in all cells by about a tenth, c is as good as a."""
    stream = np.random.default_rng(5)
    cells = stream.normal(size=(12, 1, 1))
    return cells + np.array([0.0, 0.1, 0.0])[:, None] + 0.1 * stream.standard_normal((12, 3, 8))


def test_published_mean_ranks_and_critical_difference():
    ranking = rank_methods(METHODS, SCORES)
    found = dict(zip(ranking.methods, [round(rank.value, 3) for rank in ranking.ranks], strict=True))
    assert found == {"C4.5+m+cf": 1.964, "C4.5+m": 2.0, "C4.5+cf": 2.893, "C4.5": 3.143}
    assert ranking.critical_difference == pytest.approx(1.25, abs=0.005)
    squares = sum(rank.value**2 for rank in ranking.ranks)
    assert 12 * 14 / (4 * 5) * (squares - 4 * 5**2 / 4) == pytest.approx(9.28, abs=0.005)
    assert ranking.statistic > 9.28  # published without the correction for ties, which makes it larger
    assert ranking.p_friedman == pytest.approx(stats.chi2.sf(ranking.statistic, 3))


def test_two_methods_differ_at_five_percent_exactly_when_their_ranks_differ_by_the_critical_difference(noisy):
    for scores, names in ((SCORES, METHODS), (noisy, ["a", "b", "c"])):
        ranking, p_values = rank_methods(names, scores), nemenyi(names, scores)
        ranks = dict(zip(ranking.methods, ranking.ranks, strict=True))
        for first, second in itertools.combinations(names, 2):
            apart = abs(ranks[first].value - ranks[second].value) > ranking.critical_difference
            assert (p_values.loc[first, second] < 0.05) == apart


def test_the_order_of_methods_has_no_influence(noisy):
    assert rank_methods(["a", "b", "c"], noisy) == rank_methods(["c", "a", "b"], noisy[:, [2, 0, 1]])


def test_ranks_lie_where_ranks_can_and_wins_count_cells(noisy):
    ranking = rank_methods(["a", "b", "c"], noisy)
    assert ranking.methods[-1] == "b"
    assert all(1 <= rank.low <= rank.value <= rank.high <= 3 for rank in ranking.ranks)
    assert sum(ranking.wins) == ranking.cells == 12


def test_pairs_agree_with_wilcoxon_and_holm_of_another_library(noisy):
    pairs = [compare(i, j, noisy[:, [i, j]]) for i, j in itertools.combinations(range(3), 2)]
    theirs = posthoc_wilcoxon(noisy.mean(axis=2).T, p_adjust="holm").to_numpy()
    assert adjusted([pair.p_wilcoxon for pair in pairs]) == pytest.approx(theirs[np.triu_indices(3, 1)])


def test_the_better_method_has_a_negative_log_ratio_and_a_large_probability_of_improvement(noisy):
    pair = compare("a", "b", noisy[:, :2])
    assert pair.log_ratio.low < -0.1 < pair.log_ratio.high < 0
    assert 0.5 < pair.improvement.low < pair.improvement.value < 1
    assert pair.improvement.value == pytest.approx((noisy[:, 0] < noisy[:, 1]).mean())
    assert pair.rank_biserial > 0.9
    mirrored = compare("b", "a", noisy[:, [1, 0]])
    assert mirrored.rank_biserial == pytest.approx(-pair.rank_biserial)
    assert mirrored.log_ratio.value == pytest.approx(-pair.log_ratio.value)


def test_rank_biserial_by_hand():
    differences = np.array([-1.0, -2.0, 3.0, -4.0])  # of first and second: ranks 1, 2, 4 for it, 3 against
    scores = np.stack([differences, np.zeros(4)], axis=1)[:, :, None]
    assert compare("a", "b", scores).rank_biserial == pytest.approx((1 + 2 + 4 - 3) / 10)


def test_equal_methods_tie():
    scores = np.zeros((6, 3, 4))
    ranking = rank_methods(["a", "b", "c"], scores)
    assert [rank.value for rank in ranking.ranks] == [2, 2, 2]
    pair = compare("a", "b", scores[:, :2])
    assert (pair.improvement.value, pair.rank_biserial) == (0.5, 0.0)
    assert np.isnan(pair.p_wilcoxon)


def test_fewer_than_six_cells_have_no_test(noisy):
    assert np.isnan(compare("a", "b", noisy[:5, :2]).p_wilcoxon)
    assert compare("a", "b", noisy[:6, :2]).p_wilcoxon < 0.2


def test_a_method_that_fails_too_often_in_a_cell_is_the_worst_there(noisy):
    failing = noisy.copy()
    failing[:, 0, 0] = np.inf  # one seed of eight: more than a tenth
    ranking = rank_methods(["a", "b", "c"], failing)
    assert (ranking.methods[-1], ranking.ranks[-1].value) == ("a", 3.0)
    pair = compare("a", "b", failing[:, :2])
    assert pair.rank_biserial == -1
    assert pair.improvement.value == pytest.approx((failing[:, 0] < failing[:, 1]).mean())
    assert pair.log_ratio.value == pytest.approx((noisy[:, 0, 1:] - noisy[:, 1, 1:]).mean())


def test_a_method_that_fails_once_in_sixteen_keeps_its_rank(noisy):
    twice = np.concatenate([noisy, noisy], axis=2)
    twice[:, 0, 0] = np.inf
    assert rank_methods(["a", "b", "c"], twice).methods[-1] == "b"


def test_two_methods_that_fail_everywhere_tie():
    pair = compare("a", "b", np.full((6, 2, 4), np.inf))
    assert (pair.improvement.value, pair.rank_biserial) == (0.5, 0.0)
    assert np.isnan(pair.log_ratio.value)


@pytest.mark.parametrize(
    ("methods_of", "methods", "cells"),
    [
        ({}, [], 0),
        (dict.fromkeys(range(5), "abc"), [], 0),  # too few cells
        (dict.fromkeys(range(30), "ab"), [], 0),  # too few methods
        (dict.fromkeys(range(6), "abc"), ["a", "b", "c"], 6),
        ({**dict.fromkeys(range(6), "abcd"), **dict.fromkeys(range(6, 9), "abc")}, ["a", "b", "c"], 9),
        ({**dict.fromkeys(range(6), "abcd"), **dict.fromkeys(range(6, 8), "abc")}, ["a", "b", "c", "d"], 6),
        ({**dict.fromkeys(range(4), "abcd"), **dict.fromkeys(range(4, 8), "abce")}, ["a", "b", "c"], 8),
    ],
)
def test_the_largest_table_without_gaps_is_ranked(methods_of, methods, cells):
    found, where = shared_cells({cell: frozenset(there) for cell, there in methods_of.items()})
    assert (found, len(where)) == (methods, cells)
