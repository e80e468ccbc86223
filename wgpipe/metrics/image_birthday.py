"""The size of the support of a generator of images, by how soon it repeats itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from pydantic import Field, PositiveInt

from wgpipe.extractors import wanted
from wgpipe.extractors.features import features_of, reference_features
from wgpipe.metrics import Metric
from wgpipe.metrics.birthday import first_duplicate
from wgpipe.metrics.nearest import to_others
from wgpipe.registry import register
from wgpipe.theory.coulomb import support

if TYPE_CHECKING:
    from wgpipe.train.evaluate import TrainedBlock


@register("image_birthday", cites=("arora2018", "unterthiner2018"))
class ImageBirthday(Metric):
    """The birthday test on images: as `birthday`, with duplicates by their features instead of by a person's eyes.

    Two images are duplicates if the features of the first extractor are closer than a tolerance that is calibrated on
    real data: the quantile `share` of the distances from each of `real` held-out images to the nearest other one. So
    of that many real images, this share has a duplicate among them, and the support that the test reads off real data,
    its control `oracle`, is about real / share: 400 000 for 4096 images and 1 %. `image_birthday_size` and
    `image_birthday_support` are defined as in `birthday`; the largest size that can be found is `generated`. Images
    unlike any others, noise among them, are no duplicates either.
    """

    extractors: tuple[str, ...] = Field(
        ("classifier",), min_length=1, description="the first that fits the data says in which features"
    )
    datasets: tuple[str, ...] = Field((), description="datasets that are measured; none: all of images")
    real: PositiveInt = Field(4096, description="held-out images that the tolerance is calibrated on")
    share: float = Field(0.01, gt=0, lt=1, description="of them, those that have a duplicate")
    generated: PositiveInt = Field(4096, description="generated images, the largest size that can be found")
    orders: PositiveInt = Field(200, description="random orders over which the median is taken")

    def measure(self, block: TrainedBlock) -> dict[str, tuple[np.ndarray, str]]:  # type: ignore[override]
        """Quantity -> ((E,) float64, protocol)."""
        names = wanted(dict(self), block.job.dataset)
        if not names:
            return {}
        name = names[0]
        real = reference_features(block, name, "test", self.real).astype(np.float64)
        radius = float(np.quantile(to_others(real), self.share))
        made, streams = features_of(block, name, self.generated).astype(np.float64), block.streams("eval-birthday")
        each = zip(made, streams, strict=True)
        sizes = np.asarray([first_duplicate(one, radius, self.orders, stream) for one, stream in each])
        about = f"real={len(real)},share={self.share},generated={made.shape[1]},orders={self.orders},in={name}"
        protocol = f"image_birthday[{about}]"
        return {"image_birthday_size": (sizes, protocol), "image_birthday_support": (support(sizes), protocol)}
