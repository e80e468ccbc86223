"""Walks without needless steps: a walk that covers n points needs no more than 2(n-1) steps between neighbours.

If the steps outside a spanning tree of the walk contain a cycle (a step back and forth is one), the walk covers the
same points without it: what is left is connected, and every point keeps the parity of its steps.
"""

from __future__ import annotations

from itertools import pairwise

Links = dict[int, list[int]]


def without_cycles(visits: list[int]) -> list[int]:
    """A walk over the same points, along some of the same steps, of at most 2(n-1) steps for n distinct points."""
    tree: Links = {point: [] for point in visits}
    forest: Links = {point: [] for point in visits}
    for a, b in pairwise(visits):
        if not tree[b]:
            _link(tree, a, b)
        else:
            back = _way(forest, b, a)
            if back is None:
                _link(forest, a, b)
            else:
                for c, d in pairwise(back):
                    _unlink(forest, c, d)
    steps = {point: tree[point] + forest[point] for point in tree}
    if sum(map(len, steps.values())) == 2 * (len(visits) - 1):
        return visits
    odd = [point for point, others in steps.items() if len(others) % 2]
    return _euler(steps, odd[0] if odd else visits[0])


def _euler(steps: Links, start: int) -> list[int]:
    """A walk that takes every step once (Hierholzer 1873)."""
    stack, walk = [start], []
    while stack:
        here = stack[-1]
        if steps[here]:
            there = steps[here][-1]
            _unlink(steps, here, there)
            stack.append(there)
        else:
            walk.append(stack.pop())
    return walk


def _way(links: Links, start: int, end: int) -> list[int] | None:
    """The points from `start` to `end` in a forest; None if no way leads there."""
    came_from = {start: start}
    reached = [start]
    for here in reached:
        for there in links[here]:
            if there not in came_from:
                came_from[there] = here
                reached.append(there)
    if end not in came_from:
        return None
    backwards = [end]
    while backwards[-1] != start:
        backwards.append(came_from[backwards[-1]])
    return backwards[::-1]


def _link(links: Links, a: int, b: int) -> None:
    links[a].append(b)
    links[b].append(a)


def _unlink(links: Links, a: int, b: int) -> None:
    links[a].remove(b)
    links[b].remove(a)
