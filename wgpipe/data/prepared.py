"""A dataset on disk: data.npz with its arrays, and card.json with its facts and the checksum of each array."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np

from wgpipe.atomic import atomic
from wgpipe.data import Arrays, Card, Dataset, dataset
from wgpipe.data.mapped import read
from wgpipe.errors import UserError
from wgpipe.stored import reading

DATA, CARD = "data.npz", "card.json"
REMEDY = "delete the folder and prepare the dataset again"


def save(folder: Path, dataset: Dataset, arrays: Arrays) -> Card:
    """Write both files into `folder`, each atomically; the same arrays give the same bytes. Returns the card written.

    Raises `UserError` for an array of Python objects, which could only be pickled.
    """
    for name, array in arrays.items():
        if array.dtype.hasobject:
            raise UserError(f"dataset '{dataset.name}': array '{name}' holds Python objects; accepted: numbers.")
    card = replace(dataset.card(), checksums={name: checksum(arrays[name]) for name in sorted(arrays)})
    folder.mkdir(parents=True, exist_ok=True)
    with atomic(folder / DATA) as path, path.open("wb") as file:
        contents: dict[str, Any] = {name: arrays[name] for name in sorted(arrays)}
        np.savez(file, **contents)
    with atomic(folder / CARD) as path:
        path.write_text(json.dumps(asdict(card), indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return card


def load(folder: Path) -> tuple[Card, dict[str, np.ndarray]]:
    """The card and the arrays of a folder, large ones mapped and read-only.

    `UserError` names a file that is missing or not as it was saved.
    """
    card = load_card(folder)
    path = folder / DATA
    try:
        with reading(path, REMEDY):
            arrays = read(path)
    except FileNotFoundError:
        raise _damaged(path, "is missing") from None
    if arrays.keys() != card.checksums.keys():
        raise _damaged(path, f"holds {sorted(arrays)}, but {CARD} lists {sorted(card.checksums)}")
    for name, array in arrays.items():
        found, expected = checksum(array), card.checksums[name]
        if found != expected:
            raise _damaged(path, f"has array '{name}' with sha256 {found}, but {CARD} expects {expected}")
    return card, arrays


def load_card(folder: Path) -> Card:
    """The card alone; `UserError` if it is missing or damaged."""
    path = folder / CARD
    try:
        facts: Mapping[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        shape = facts["shape"]
        card = Card(**{**facts, "cites": tuple(facts["cites"]), "shape": shape and tuple(shape)})
        known = replace(dataset(card.name).card(), checksums=card.checksums)
        if card != known or not isinstance(card.checksums, dict):
            raise ValueError(f"not that of dataset '{card.name}'")
    except FileNotFoundError:
        raise _damaged(path, "is missing") from None
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError, UserError) as error:
        raise _damaged(path, f"is not a card ({error})") from None
    return card


def checksum(array: np.ndarray) -> str:
    """sha256 of an array's type, shape and values in C order."""
    digest = hashlib.sha256(f"{array.dtype.str} {array.shape} ".encode())
    digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()


def _damaged(path: Path, what: str) -> UserError:
    return UserError(f"{path} {what}; {REMEDY}.")
