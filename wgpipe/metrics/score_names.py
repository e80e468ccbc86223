"""What an image score is called: a number with other images, extractor or weights is another score."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from wgpipe.extractors import Extractor

PUBLISHED = 50_000  # generated images of the Fréchet Inception distance in papers
DIGITS = 8  # of the sha256 of weights


def score_name(
    score: str,
    chosen: Extractor,
    sha256: str,
    generated: int,
    real: int = 0,
    split: str = "",
    settings: Mapping[str, int] = MappingProxyType({}),
) -> str:
    """`fid[efflite0-320@96-57934424,n=2000,test]`: extractor, weights, number of images of each side, split, settings.

    `real` 0: the score is of generated images alone. Sides of different size are both given: `real=500,generated=2000`.
    `fid[inception,n=50000]` is the one name without them, of what papers report: the published weights, 50 000
    generated images and no fewer real ones, of the training split.
    """
    if is_comparable(score, chosen, sha256, generated, real, split):
        return f"{score}[{chosen.registered_name},n={generated}]"
    sizes = {"n": generated} if real in (0, generated) else {"real": real, "generated": generated}
    numbers = [f"{name}={value}" for name, value in {**sizes, **settings}.items()]
    side = f"@{chosen.side}" if chosen.side else ""
    return (
        f"{score}[{','.join([f'{chosen.registered_name}{side}-{sha256[:DIGITS]}', *numbers, *filter(None, [split])])}]"
    )


def is_comparable(score: str, chosen: Extractor, sha256: str, generated: int, real: int, split: str) -> bool:
    """Whether a score may stand beside the Fréchet Inception distances of papers."""
    return (
        (score, chosen.name, generated, split) == ("fid", "inception", PUBLISHED, "train")
        and real >= PUBLISHED
        and [source.sha256 for source in chosen.sources()] == [sha256]
    )
