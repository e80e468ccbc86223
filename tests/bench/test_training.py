from __future__ import annotations

import csv
import io
import itertools
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from bench import cells, engine, plain, train, worker
from bench.cells import METHODS, Cell
from bench.train import Row
from wgpipe.train import draws, population

WIDTH, BATCH = 8, 32
NETS = {method: plain.groupsort if method == "wgan-groupsort" else plain.mlp for method in METHODS}


@pytest.fixture(autouse=True)
def chunks_of_the_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    """A benchmark shortens them in its own process, which is ours here; afterwards they are as they were."""
    for module in (draws, population):
        monkeypatch.setattr(module, "CHUNK", module.CHUNK)


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)
    torch.manual_seed(0)


@pytest.fixture
def one_step(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cells, "SLICE_STEPS", (1,))


@pytest.fixture
def jax_population() -> Any:
    pytest.importorskip("jax")
    pytest.importorskip("optax")
    from bench import jax_population

    return jax_population


def as_jax(net: torch.nn.Module) -> Any:
    import jax.numpy as jnp

    layers = [layer for layer in net.modules() if isinstance(layer, torch.nn.Linear)]
    return [(jnp.asarray(each.weight.detach().numpy().T), jnp.asarray(each.bias.detach().numpy())) for each in layers]


@pytest.mark.parametrize("method", METHODS)
def test_plain_pytorch_and_jax_minimise_the_same(jax_population: Any, method: str) -> None:
    import jax.numpy as jnp

    critic, generator = NETS[method](2, WIDTH, 1), plain.mlp(2, WIDTH, 2)
    real, noise, mix = 3 * torch.randn(BATCH, 2), torch.randn(BATCH, 2), torch.rand(BATCH, 1)
    fake = generator(noise).detach()
    with torch.no_grad():
        for p in critic.parameters():
            p.mul_(1.5)  # slopes above 1, which the penalty sees
    params = as_jax(critic), as_jax(generator)
    points = [jnp.asarray(x.numpy()) for x in (real, fake, mix)]
    found = jax_population.critic_loss(method, params[0], *points)
    assert float(found) == pytest.approx(plain.critic_loss(method, critic, real, fake, mix).item(), abs=1e-5)
    found = jax_population.generator_loss(method, params[1], params[0], jnp.asarray(noise.numpy()))
    assert float(found) == pytest.approx(plain.generator_loss(method, critic, generator(noise)).item(), abs=1e-5)


@pytest.mark.parametrize(("method", "constrain"), [("wgan-groupsort", plain.orthonormalise), ("wgan-clip", plain.clip)])
def test_plain_pytorch_and_jax_constrain_alike(
    jax_population: Any, method: str, constrain: Callable[[torch.nn.Module], None]
) -> None:
    critic = NETS[method](2, WIDTH, 1)
    with torch.no_grad():
        for p in critic.parameters():
            p.add_(0.02 * torch.randn_like(p))
    found = jax_population.constrain(method, as_jax(critic))
    constrain(critic)
    for ours, theirs in zip(itertools.chain(*found), itertools.chain(*as_jax(critic)), strict=True):
        assert abs(ours - theirs).max() < 1e-5


@pytest.mark.parametrize("method", METHODS)
def test_the_engine_minimises_what_plain_pytorch_does(method: str, one_step: None) -> None:
    stacks = engine.stacks(Cell(method, WIDTH, BATCH, 2))
    (population,) = stacks.populations
    critic = NETS[method](2, WIDTH, 1)
    layers = [layer for layer in critic.modules() if isinstance(layer, torch.nn.Linear)]
    for number, layer in enumerate(layers):
        layer.weight.data = population.critic.params[f"weight{number}"][0].detach().T.clone()
        layer.bias.data = population.critic.params[f"bias{number}"][0, 0].detach().clone()
    real, fake, mix = 3 * torch.randn(2, BATCH, 2), torch.randn(2, BATCH, 2), torch.rand(2, BATCH, 1)
    steps = population.steps(BATCH)
    steps.critic_step(real, fake, mix)
    expected = plain.critic_loss(method, critic, real[0], fake[0], mix[0])
    assert steps.critic_loss()[0].item() == pytest.approx(expected.item(), abs=1e-5)


class Products(TorchDispatchMode):
    """Counts two operations for every multiplication of the matrix products that are called inside it."""

    flops = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func in (torch.ops.aten.mm.default, torch.ops.aten.addmm.default):
            left, right = args[-2:]
            self.flops += 2 * left.shape[0] * left.shape[1] * right.shape[1]
        return func(*args, **(kwargs or {}))


@pytest.mark.parametrize("method", METHODS)
def test_flops_are_those_of_plain_pytorch_without_its_detours(method: str, one_step: None) -> None:
    """For the penalty it computes the output, and sends zeros back through the masks of the activations."""
    h, d = 16, cells.DIMENSION
    cell = Cell(method, h, BATCH, 1)
    call = plain.start(cell)
    with Products() as products:
        call()
    output, zeros = 3 * h, 2 * h * h + 2 * d * h
    detours = 2 * cells.CRITIC_STEPS * BATCH * (output + zeros) if cell.penalised else 0
    assert products.flops == cell.flops() + detours


@pytest.mark.parametrize("implementation", ["plain", "engine", "jax_population"])
def test_a_worker_answers_every_order(
    implementation: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, capsys: Any, one_step: None
) -> None:
    if implementation == "jax_population":
        request.getfixturevalue("jax_population")
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.setattr(worker, "TRAINING_SECONDS", 0.01)
    monkeypatch.setattr(worker, "PEAK_SECONDS", 0.01)
    monkeypatch.setattr("sys.stdin", io.StringIO("train\npeak\n"))
    worker.main(implementation, f"wgan-clip:{WIDTH}x{BATCH}:2")
    ready, slice_, peak = (json.loads(line) for line in capsys.readouterr().out.splitlines())
    assert ready == {"ready": True}
    assert slice_["updates"] >= 1
    assert slice_["seconds"] > 0.01
    assert peak["gflops"] > 0


def test_a_cell_is_named_as_it_is_parsed() -> None:
    for cell in cells.all_cells():
        assert Cell.parse(str(cell)) == cell


@pytest.mark.parametrize("text", ["wgan-lp:32:16", "wgan-lp:32x64", "wgan:32x64:16"])
def test_other_cells_are_refused_with_what_is_accepted(text: str) -> None:
    with pytest.raises(ValueError, match="accepted: "):
        Cell.parse(text)


def test_the_table_has_a_row_for_each_measurement(tmp_path: Path) -> None:
    from bench.training_figure import draw

    row = Row("engine", "wgan-lp", 32, 64, 16, 1, 12345.678, 12000.0, 13000.0, 5, 25.0, 1.5, 400.0, 90.0, 150.0, 0.6)
    train.write(tmp_path / "training.csv", [row])
    draw([row], tmp_path)
    (found,) = csv.DictReader((tmp_path / "training.csv").open())
    assert found["iterations_per_second"] == "12350"
    assert float(found["share_of_peak"]) == 0.6
    assert "wgan-lp, 32 × 64" in (tmp_path / "training.svg").read_text(encoding="utf-8")
