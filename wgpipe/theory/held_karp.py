"""The shortest path through all points, exactly: dynamic programming over subsets.

Source: Held & Karp, J. SIAM 10, 1962, and Bellman, J. ACM 9, 1962; here with free ends.
"""

from __future__ import annotations

import numpy as np


def held_karp(lengths: np.ndarray) -> np.ndarray:
    """(n, n) symmetric lengths -> (n,) the order of the points on a shortest path. Time 2^n n², memory 2^n n."""
    n = len(lengths)
    subsets = np.arange(1 << n)
    members = (subsets[:, None] >> np.arange(n)) & 1
    sizes = members.sum(axis=1)
    best = np.full((1 << n, n), np.inf)
    best[1 << np.arange(n), np.arange(n)] = 0
    for size in range(1, n):
        for last in range(n):
            smaller = subsets[(sizes == size) & (members[:, last] == 0)]
            best[smaller | (1 << last), last] = (best[smaller] + lengths[last]).min(axis=1)
    subset = (1 << n) - 1
    backwards = [int(best[subset].argmin())]
    while len(backwards) < n:
        subset ^= 1 << backwards[-1]
        backwards.append(int((best[subset] + lengths[backwards[-1]]).argmin()))
    return np.array(backwards[::-1])
