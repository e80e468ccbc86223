"""What looks at images: networks whose features the image scores compare.

An extractor is one layer of a network, and `<name>@<side>` is the same with another size of its input. Extractors of
one network share a pass over the images. Importing an extractor's file imports no torch: the Snakefile reads which
weights it needs.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import BaseModel, ConfigDict, PositiveInt

from wgpipe import registry
from wgpipe.data import Dataset, Source, dataset
from wgpipe.errors import UserError
from wgpipe.hashes import sha256

if TYPE_CHECKING:
    from torch_fidelity.feature_extractor_base import FeatureExtractorBase

NEIGHBOURS = 50_000  # training images, at most, in whose features a figure looks for the nearest: the first
REFERENCE = 2000  # real images of each split whose features are kept, where a metric does not say how many
WEIGHTS = "weights.safetensors"  # of a network that is trained on the dataset
CLASSIFIER = "weights.json"  # the record of these, beside them
FEATURES = "features.safetensors"  # of a dataset's images
RECORD = "features.json"  # of them, beside them


class Extractor(BaseModel):
    """A layer of a network. One file a network; a subclass is registered for each layer."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    kind: ClassVar[str] = "extractor"
    registered_name: ClassVar[str]
    cites: ClassVar[tuple[str, ...]] = ()
    network: ClassVar[str]
    layers: ClassVar[tuple[str, ...]]  # that a pass gives, this one among them
    layer: ClassVar[str]
    logits: ClassVar[str | None] = None  # the layer whose softmax is a law of classes, if there is one
    trained: ClassVar[bool] = False  # on the dataset itself, by its labels
    milliseconds: ClassVar[float]  # of one core for an image of the usual size, for plans

    side: PositiveInt | None = None  # to which images are resized; None: the network takes them as they are

    @property
    def name(self) -> str:
        """`efflite0-320`, and `efflite0-320@64` for another size of the input than the usual one."""
        usual = type(self).model_fields["side"].default
        return self.registered_name + (f"@{self.side}" if self.side != usual else "")

    @property
    def pass_name(self) -> str:
        """`efflite0@96`: the network and the size of its input, which name a folder."""
        return self.network + (f"@{self.side}" if self.side else "")

    def sources(self) -> tuple[Source, ...]:
        """The file of the weights, of a network that was trained elsewhere."""
        return ()

    def load(self, weights: Path) -> FeatureExtractorBase:
        """The network with its weights: (B, C, H, W) uint8 -> all `layers`, (B, f) float32 each. Reads without checks.

        `weights_digest` comes first.
        """
        raise NotImplementedError


def extractor(name: str) -> Extractor:
    """The extractor of a name such as `classifier`, `efflite0-320` or `efflite0-320@64`; `UserError` for others."""
    base, at, side = name.partition("@")
    cls: type[Extractor] = registry.load("extractor", base)
    usual = cls.model_fields["side"].default
    if not at:
        return cls()
    if usual is None or not side.isdecimal() or not 32 <= int(side) <= 1024:
        accepted = base if usual is None else f"{base}, or {base}@<side> with a side of 32 to 1024 pixels"
        raise UserError(f"extractor '{name}' is unknown; accepted: {accepted}.")
    return cls(side=int(side))


def sources_of(owner: str) -> tuple[Source, ...]:
    """Files to download for an extractor or a dataset of this name."""
    known = owner.partition("@")[0] in registry.files("extractor")
    return extractor(owner).sources() if known else dataset(owner).sources()


def wanted(settings: Mapping[str, Any], given: Dataset) -> tuple[str, ...]:
    """Names of the extractors that a metric with these settings needs on a dataset; none where there are no images.

    Those that are trained on labels are left out where there are none, unless there is no other: that is a mistake.
    """
    names, chosen = tuple(settings.get("extractors", ())), settings.get("datasets")
    left_out = not names or given.card().shape is None or (chosen and given.name not in chosen)
    fitting = tuple(name for name in names if given.classes or not extractor(name).trained)
    return () if left_out else fitting or names


def check_fits(chosen: Extractor, given: Dataset) -> None:
    """That an extractor can look at a dataset; `UserError` otherwise."""
    if given.card().shape is None:
        raise UserError(f"dataset '{given.name}' has no images, and extractor '{chosen.name}' looks at images.")
    if chosen.trained and not given.classes:
        raise UserError(
            f"dataset '{given.name}' has no labels, so extractor '{chosen.name}' cannot be trained on it; take"
            " another one, or name the metric's 'datasets'."
        )


def weights_file(chosen: Extractor, features: Path, downloads: Path) -> Path:
    """Where the weights lie: beside the features of a dataset, or among the downloads."""
    sources = chosen.sources()
    return downloads / sources[0].file if sources else features / chosen.pass_name / WEIGHTS


def weights_digest(chosen: Extractor, file: Path, expected: str | None = None) -> str:
    """sha256 of a weights file; `UserError` if it is missing, or not what it must be, before anything loads it."""
    if not file.is_file():
        raise UserError(f"{file}, the weights of extractor '{chosen.name}', does not exist.")
    found = sha256(file)
    published = [source.sha256 for source in chosen.sources()]
    for right in [*published, *([expected] if expected else [])]:
        if found != right:
            raise UserError(
                f"{file} has sha256 {found}, and the weights of extractor '{chosen.name}' have {right}; delete it."
            )
    return found
