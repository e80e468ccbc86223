"""Fashion-MNIST."""

from __future__ import annotations

from typing import ClassVar

from wgpipe.data.idx import IdxImages
from wgpipe.registry import register


@register("fashion_mnist", cites=("xiao2017",))
class FashionMnist(IdxImages):
    """Pictures of clothes (Xiao, Rasul & Vollgraf 2017)."""

    accepted: ClassVar[str] = "fashion_mnist-28x28, fashion_mnist-14x14, fashion_mnist-7x7"
    title: ClassVar[str] = "Fashion-MNIST clothes"
    origin: ClassVar[str] = "Fashion-MNIST, by Zalando Research"
    licence: ClassVar[str] = "MIT"
    folders: ClassVar[tuple[str, ...]] = (
        "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com",
        "https://github.com/zalandoresearch/fashion-mnist/raw/master/data/fashion",
    )
    checksums: ClassVar[dict[str, str]] = {
        "train-images-idx3-ubyte": "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
        "train-labels-idx1-ubyte": "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
        "t10k-images-idx3-ubyte": "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
        "t10k-labels-idx1-ubyte": "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
    }
