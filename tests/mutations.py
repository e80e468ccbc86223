"""Damage, drawn by hypothesis: to the bytes of a file, and to the values of what it holds."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Sequence
from datetime import date
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

DEEP: Any = []
for _ in range(40):
    DEEP = [DEEP]

ODD_VALUES: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 1, 3, 7, 10**9, 10**20, -(10**20), 10**400, 0.5, -0.5, 1e-320, 1e308),
    *(float("nan"), float("inf"), float("-inf"), "", " ", "x", "0", "-1", "nan", "1e5", "0-7", "7-0", "0-999999999"),
    *("../x", "/etc/passwd", "$(touch x)", "a b", "a\nb", "a'b", 'a"b', "-rf", "é", "\x00", "x" * 300, "d*", "0d*"),
    *("surface-2in8", "surface-99999999999999999999in8", "surface-0in1", "sphere-2in2", "digits", "oracle"),
    *("wgan", "mlp", "w1", "lp", "vanilla_rates", "none", [], {}, [[]], [None], [0], ["x"], {"x": 1}, {"x": {}}, DEEP),
    *({"name": "mlp", "hidden": [0]}, {"name": "wgan", "x": 1}, {"name": 5}, [{"x": []}], date(2026, 1, 1)),
)  # fmt: skip

Bytes = Callable[[bytes], bytes]


def quickly(examples: int) -> Callable[[Any], Any]:
    """The same examples each time, without looking for a smaller one that fails."""
    return settings(
        max_examples=examples,
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )


@st.composite
def damage(draw: st.DrawFn, others: Sequence[bytes] = ()) -> Bytes:
    """Of the bytes of a file: emptied, truncated, a flipped bit, bytes too many or too few, or another file's."""
    kinds = ["empty", "cut", "flip", "flip", "insert", "remove", "repeat", *(["swap"] if others else [])]
    kind, place, size = draw(st.sampled_from(kinds)), draw(st.floats(0, 1, exclude_max=True)), draw(st.integers(1, 40))
    extra, bit = draw(st.binary(min_size=1, max_size=12)), draw(st.integers(0, 7))
    other = draw(st.sampled_from(others)) if others else b""

    def change(content: bytes) -> bytes:
        at = int(place * len(content))
        match kind:
            case "empty":
                return b""
            case "cut":
                return content[:at]
            case "flip" if content:
                return content[:at] + bytes([content[at] ^ 1 << bit]) + content[at + 1 :]
            case "insert":
                return content[:at] + extra + content[at:]
            case "remove":
                return content[:at] + content[at + size :]
            case "repeat":
                return content[: at + size] + content[at:]
        return other

    return change


@st.composite
def wrong_value(draw: st.DrawFn) -> Callable[[Any], Any]:
    """Of a tree of mappings and lists: a value replaced, taken away, given twice, renamed or put elsewhere."""
    kind = draw(st.sampled_from(["replace", "replace", "replace", "delete", "rename", "twice", "wrap", "move"]))
    choices = draw(st.lists(st.integers(0, 10**6), min_size=24, max_size=24))
    value, letter = draw(st.sampled_from(ODD_VALUES)), draw(st.sampled_from(["x", " ", "", "_", "é", "/"]))

    def change(content: Any) -> Any:
        root = [copy.deepcopy(content)]
        chosen = iter(choices)
        parent, key = _place(root, chosen)
        old = parent[key]
        match kind:
            case "delete":
                del parent[key]
            case "rename" if isinstance(parent, dict):
                parent[f"{key}{letter}"] = parent.pop(key)
            case "twice" if isinstance(parent, list):
                parent.insert(key, old)
            case "wrap":
                parent[key] = [old]
            case "move":
                other, there = _place(root, chosen)
                other[there] = copy.deepcopy(old)
            case _:
                parent[key] = value
        return root[0] if root else None

    return change


def _place(root: list[Any], chosen: Any) -> tuple[Any, Any]:
    """A container inside `root` and one of its keys, by numbers: not deeper than these reach."""
    parent: Any = root
    key: Any = 0
    for number in list(zip(range(10), chosen, strict=False)):
        below = parent[key]
        if not isinstance(below, dict | list) or not below or number[1] % 6 == 0:
            break
        keys = list(below) if isinstance(below, dict) else range(len(below))
        parent, key = below, keys[number[1] // 6 % len(below)]
    return parent, key


def in_json(change: Callable[[Any], Any]) -> Bytes:
    """A change of values as one of the bytes of a JSON file."""
    return lambda content: json.dumps(change(json.loads(content)), default=str, indent=1).encode()


def of_file(name: str, others: Sequence[bytes]) -> st.SearchStrategy[Bytes]:
    """Whatever suits a file of this name."""
    by_bytes = damage(others)
    if name.endswith(".json"):
        return st.one_of(by_bytes, wrong_value().map(in_json), wrong_value().map(in_json))
    return by_bytes
