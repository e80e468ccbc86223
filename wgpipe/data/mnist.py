"""MNIST."""

from __future__ import annotations

from typing import ClassVar

from wgpipe.data.idx import IdxImages
from wgpipe.registry import register


@register("mnist", cites=("lecun1998",))
class Mnist(IdxImages):
    """Handwritten digits (LeCun, Bottou, Bengio & Haffner 1998)."""

    accepted: ClassVar[str] = "mnist-28x28, mnist-14x14, mnist-7x7"
    title: ClassVar[str] = "MNIST handwritten digits"
    origin: ClassVar[str] = "MNIST, by LeCun, Cortes and Burges"
    licence: ClassVar[str] = "CC BY-SA 3.0 as commonly stated"
    folders: ClassVar[tuple[str, ...]] = (
        "https://ossci-datasets.s3.amazonaws.com/mnist",
        "https://storage.googleapis.com/cvdf-datasets/mnist",
    )
    checksums: ClassVar[dict[str, str]] = {
        "train-images-idx3-ubyte": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
        "train-labels-idx1-ubyte": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
        "t10k-images-idx3-ubyte": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
        "t10k-labels-idx1-ubyte": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
    }
