"""The benchmark on images compares the same training."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest
import torch

from bench import engine_images, image_cells, images, plain_images, worker
from bench.image_cells import BATCH, LATENT, ImageCell
from wgpipe.train import draws, population

CELLS = [ImageCell(method, side, 2, 2) for method in image_cells.CRITIC_STEPS for side in image_cells.SLICE_STEPS]


@pytest.fixture(autouse=True)
def one_step(monkeypatch: pytest.MonkeyPatch) -> None:
    """A benchmark shortens chunks in its own process, which is ours here; afterwards they are as they were."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    for module in (draws, population):
        monkeypatch.setattr(module, "CHUNK", module.CHUNK)
    monkeypatch.setattr(image_cells, "SLICE_STEPS", {14: 1, 28: 1})


def with_parameters(module: torch.nn.Module, params: dict[str, torch.Tensor]) -> None:
    own = [value[1].detach() for name, value in params.items() if not name.startswith("state.")]
    for target, value in zip(module.parameters(), own, strict=True):
        target.data = (value.T if value.ndim == 2 else value).clone()


@pytest.mark.parametrize("cell", CELLS, ids=str)
def test_the_engine_minimises_what_plain_pytorch_does(cell: ImageCell) -> None:
    made = engine_images.stacks(cell).populations[0]
    critic, generator = plain_images.critic(cell), plain_images.generator(cell)
    with_parameters(critic, made.critic.params)
    with_parameters(generator, made.generator.params)
    real, fake = (2 * torch.rand(2, BATCH, cell.side**2) - 1 for _ in range(2))
    mix, noise = torch.rand(2, BATCH, 1), torch.randn(2, BATCH, LATENT)
    steps, shape = made.steps(BATCH), (BATCH, 1, cell.side, cell.side)
    steps.critic_step(real, fake, mix)
    batches = real[1].view(shape), fake[1].view(shape), mix[1].view(-1, 1, 1, 1)
    expected = plain_images.critic_loss(cell.method, critic, *batches)
    assert steps.critic_loss()[1].item() == pytest.approx(expected.item(), abs=1e-4)
    steps.generator_step(noise, real)
    found = plain_images.generator_loss(cell.method, critic, generator(noise[1]))
    assert steps.generator_loss()[1].item() == pytest.approx(found.item(), abs=1e-4)


@pytest.mark.parametrize("implementation", images.IMPLEMENTATIONS.values())
def test_a_worker_trains(implementation: str, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.setattr(worker, "TRAINING_SECONDS", 0.01)
    monkeypatch.setattr("sys.stdin", io.StringIO("train\n"))
    worker.main(implementation, "images-wgan-gp:14x2:2")
    ready, answer = (json.loads(line) for line in capsys.readouterr().out.splitlines())
    assert ready == {"ready": True}
    assert answer["updates"] >= 1
    assert answer["processor_seconds"] > 0


def test_a_cell_is_named_as_it_is_parsed() -> None:
    for cell in image_cells.all_cells():
        assert ImageCell.parse(str(cell)) == cell


@pytest.mark.parametrize("text", ["images-wgan-gp:14:4", "images-wgan:14x16:4", "images-vanilla:15x16:1"])
def test_other_cells_are_refused_with_what_is_accepted(text: str) -> None:
    with pytest.raises(ValueError, match="accepted: "):
        ImageCell.parse(text)


def test_the_table_compares_round_by_round(tmp_path: Path) -> None:
    cell = ImageCell("wgan-gp", 14, 16, 4)
    row = images.row("engine", cell, [300.0, 100.0, 400.0], [100.0, 100.0, 100.0], 500.0)
    assert row.times_plain == 3
    assert (row.lowest, row.images_per_second, row.highest, row.slices) == (100, 300, 400, 3)
    assert row.seconds_per_1000_steps == pytest.approx(1000 * 5 * BATCH / 300)
    images.write(tmp_path / "images.csv", [row])
    (found,) = csv.DictReader((tmp_path / "images.csv").open())
    assert found["images_per_second"] == "300"
    assert "3x plain" in images.line(row)
