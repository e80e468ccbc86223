"""Inception-v3 by torch-fidelity, with weights that a test makes: the real ones are downloaded or placed by hand."""

from __future__ import annotations

import hashlib
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch_fidelity.feature_extractor_inceptionv3 import URL_INCEPTION_V3, FeatureExtractorInceptionV3

from wgpipe.data import Source
from wgpipe.errors import UserError
from wgpipe.extractors import extractor, inception, sources_of
from wgpipe.extractors.extraction import extract
from wgpipe.fetch import Patience, fetch

NOWHERE = "http://127.0.0.1:9/weights.pth"
QUICK = Patience(connect=1, read=0.3, attempts=1, pause=0.01)


@pytest.fixture(scope="module")
def stub(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file like the published one, of random numbers."""
    file = tmp_path_factory.mktemp("inception") / inception.FILE
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(torch, "load", lambda *_, **__: {})
        patch.setattr(FeatureExtractorInceptionV3, "load_state_dict", lambda *_: None)
        torch.manual_seed(0)
        network = FeatureExtractorInceptionV3("stub", ["2048"], feature_extractor_weights_path="none")
    torch.save(network.state_dict(), file)
    return file


def published(file: Path, **more: Any) -> Source:
    """A source whose checksum is that of a file."""
    return replace(inception.SOURCE, sha256=hashlib.sha256(file.read_bytes()).hexdigest(), **more)


def test_the_file_is_the_one_that_torch_fidelity_names() -> None:
    (source,) = sources_of("inception")
    assert URL_INCEPTION_V3 in source.urls
    assert source.file.endswith(f"-{source.sha256[:8]}.pth")


def test_features_and_logits_of_grey_images(stub: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inception, "SOURCE", published(stub))
    pictures = np.random.default_rng(0).integers(0, 256, (2, 1, 14, 14), dtype=np.uint8)
    layers = extract(extractor("inception"), stub, pictures)
    assert {name: values.shape for name, values in layers.items()} == {"2048": (2, 2048), "logits_unbiased": (2, 1008)}
    assert np.isfinite(layers["2048"]).all()


def test_other_weights_are_refused_before_torch_fidelity_unpickles_them(
    stub: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = Path(shutil.copy(stub, tmp_path))
    monkeypatch.setattr(torch, "load", lambda *_, **__: pytest.fail("loaded"))
    with pytest.raises(
        UserError, match=rf"has sha256 \w+, and the weights .* 'inception' have {inception.SOURCE.sha256}"
    ):
        extract(extractor("inception"), other, np.zeros((1, 1, 14, 14), dtype=np.uint8))


def test_placed_by_hand(stub: Path, tmp_path: Path) -> None:
    source = published(stub, urls=(f"placed:{inception.FILE}", NOWHERE))
    assert fetch(source, tmp_path, None, progress=False, by_hand=stub.parent).resolve() == stub.resolve()


def test_without_network_and_file_one_sentence_says_where_it_may_come_from(tmp_path: Path) -> None:
    source = replace(inception.SOURCE, urls=(inception.SOURCE.urls[0], NOWHERE))
    with pytest.raises(UserError) as error:
        fetch(source, tmp_path, None, progress=False, patience=QUICK)
    message = str(error.value)
    assert (
        f"placed:{inception.FILE}: not there; download {inception.FILE} by hand, from {inception.SOURCE.page}"
        in message
    )
    assert f"{NOWHERE}: no connection" in message
    assert list(tmp_path.iterdir()) == []


def test_a_placed_file_with_another_checksum_is_not_taken(stub: Path, tmp_path: Path) -> None:
    source = replace(inception.SOURCE, urls=(inception.SOURCE.urls[0],))
    with pytest.raises(UserError, match=f"wrong sha256, expected {inception.SOURCE.sha256}, found"):
        fetch(source, tmp_path, None, progress=False, by_hand=stub.parent)
    assert list(tmp_path.iterdir()) == []
