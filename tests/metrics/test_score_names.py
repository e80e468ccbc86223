"""A score's name says by what and on how many images it was measured; one name alone is that of the papers."""

from __future__ import annotations

import pytest

from wgpipe.extractors import extractor
from wgpipe.extractors.inception import SOURCE
from wgpipe.metrics.score_names import is_comparable, score_name

OTHER = "0123456789abcdef" * 4
EFFLITE = extractor("efflite0-320")
INCEPTION = extractor("inception")
PAPER = ("fid", INCEPTION, SOURCE.sha256, 50_000, 50_000, "train")


def test_the_name_holds_extractor_weights_number_and_split() -> None:
    assert score_name("fid", EFFLITE, OTHER, 2000, 2000, "test") == "fid[efflite0-320@96-01234567,n=2000,test]"
    assert (
        score_name("fid", extractor("efflite0-112@64"), OTHER, 9, 9, "train")
        == "fid[efflite0-112@64-01234567,n=9,train]"
    )
    assert score_name("precision", extractor("classifier"), OTHER, 9, 9, "test", {"neighbour": 3}) == (
        "precision[classifier-01234567,n=9,neighbour=3,test]"
    )


def test_sides_of_different_size_are_both_named() -> None:
    assert score_name("kid", EFFLITE, OTHER, 2000, 500, "test", {"subset": 100}) == (
        "kid[efflite0-320@96-01234567,real=500,generated=2000,subset=100,test]"
    )


def test_a_score_of_generated_images_alone_has_no_split() -> None:
    assert (
        score_name("isc", INCEPTION, OTHER, 2000, settings={"parts": 10}) == "isc[inception-01234567,n=2000,parts=10]"
    )


def test_the_papers_name() -> None:
    assert is_comparable(*PAPER)
    assert score_name(*PAPER) == "fid[inception,n=50000]"
    assert score_name(*PAPER[:4], 60_000, "train") == "fid[inception,n=50000]"


@pytest.mark.parametrize(
    ("place", "value"),
    [(0, "kid"), (1, EFFLITE), (2, OTHER), (3, 49_999), (3, 50_001), (4, 10_000), (5, "test")],
)
def test_whatever_differs_takes_it_away(place: int, value: object) -> None:
    changed: list[object] = list(PAPER)
    changed[place] = value
    name = score_name(*changed)  # type: ignore[arg-type]
    assert not is_comparable(*changed)  # type: ignore[arg-type]
    assert not name.startswith("fid[inception,")
    assert str(changed[2])[:8] in name
    assert f"{changed[3]}" in name
    assert f",{changed[5]}]" in name
