"""Training the extractor `classifier` on a prepared dataset: a few passes, the same bytes at each time."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import nn

from wgpipe.atomic import atomic
from wgpipe.data import FiniteDataset, dataset
from wgpipe.data.pixels import images
from wgpipe.data.prepared import load
from wgpipe.extractors import CLASSIFIER, WEIGHTS, check_fits, extractor, weights_digest
from wgpipe.extractors.classifier_network import ClassifierNetwork
from wgpipe.identity import classifier_code
from wgpipe.rng import stream
from wgpipe.train.files import write_json

NAME = "classifier"
BATCH = 128
EPOCHS = 2
RATE = 3e-3
DECAY = 1e-2  # of weights


@dataclass(frozen=True)
class Labelled:
    """Images (N, C, H, W) uint8 and their classes (N,)."""

    images: torch.Tensor
    classes: torch.Tensor


def write_classifier(data: Path, out: Path) -> None:
    """Train on a dataset's training split; write weights.safetensors and weights.json, the second with the accuracy on
    the test split. Raises `UserError` for a dataset without labels.
    """
    card, arrays = load(data)
    given = dataset(card.name)
    check_fits(extractor(NAME), given)
    assert isinstance(given, FiniteDataset)
    splits = {
        split: Labelled(torch.tensor(images(given, arrays[split])), torch.tensor(arrays[f"{split}_labels"]).long())
        for split in ("train", "test")
    }
    network = trained(splits["train"], given.classes, card.name)
    out.mkdir(parents=True, exist_ok=True)
    with atomic(out / WEIGHTS) as path:
        save_file(network.state_dict(), path)
    facts = {
        "dataset": card.name,
        "accuracy": round(accuracy(network, splits["test"]), 4),
        "sha256": weights_digest(extractor(NAME), out / WEIGHTS),
        "data": {name: card.checksums[name] for name in ("train", "train_labels")},
        "code": classifier_code(),
    }
    write_json(out / CLASSIFIER, facts)


def trained(given: Labelled, classes: int, dataset_name: str) -> ClassifierNetwork:
    """A network after `EPOCHS` passes of AdamW, its rate rising and falling once (one cycle)."""
    keys = stream("classifier", dataset_name)
    channels, height, width = given.images.shape[1:]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(int(keys.integers(2**63)))
        network = ClassifierNetwork((channels, height, width), classes)
    optimiser = torch.optim.AdamW(network.parameters(), RATE, weight_decay=DECAY)
    batch = min(BATCH, len(given.images))
    batches = len(given.images) // batch
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, RATE, total_steps=EPOCHS * batches, pct_start=0.2)
    for _ in range(EPOCHS):
        order = torch.from_numpy(keys.permutation(len(given.images))[: batches * batch])
        for chosen in order.split(batch):
            optimiser.zero_grad()
            _, logits = network(given.images[chosen])
            nn.functional.cross_entropy(logits, given.classes[chosen]).backward()
            optimiser.step()
            schedule.step()
    network.requires_grad_(False)
    network.eval()
    return network


def accuracy(network: ClassifierNetwork, given: Labelled) -> float:
    """Share of the images whose class it tells."""
    found = torch.cat([network(images)[1].argmax(dim=1) for images in given.images.split(BATCH)])
    return float((found == given.classes).double().mean())
