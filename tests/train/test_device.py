"""A training asks nothing of the CPU between two chunks, and has a CUDA device for itself."""

from __future__ import annotations

import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from wgpipe.errors import UserError
from wgpipe.recipe import Recipe
from wgpipe.train.device import free_slot, reserved_device
from wgpipe.train.draws import Members
from wgpipe.train.population import Population

SEEDS = (0, 1)
HOLD = """
import sys, time
from pathlib import Path
from wgpipe.train.device import free_slot
with free_slot([Path(file) for file in sys.argv[2:]]) as index:
    Path(sys.argv[1]).write_text(str(index))
    time.sleep(60)
"""


class Operations(TorchDispatchMode):
    """Counts what torch is asked to do."""

    def __init__(self) -> None:
        super().__init__()
        self.counts: Counter[str] = Counter()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self.counts[func.overloadpacket.__name__] += 1
        return func(*args, **(kwargs or {}))


def population(recipe: Recipe, path: str, place: str) -> Population:
    members = Members("toy", tuple((64, seed) for seed in SEEDS))
    return Population(recipe, members, [torch.ones(64, 3)] * len(SEEDS), 2, torch.device(place), path=path)


@pytest.mark.parametrize("path", ["auto", "autograd"])
def test_values_leave_the_device_once_a_chunk(
    recipe: Callable[..., Recipe], chunk: Callable[[int], None], path: str
) -> None:
    """Each transfer waits for the device to finish; `_local_scalar_dense` is what `.item()` and `if tensor` call."""
    counts = {}
    for steps in (2, 6):
        chunk(steps)
        trained = population(recipe("wgan", "lp", steps=100), path, "cpu")
        with Operations() as operations:
            trained.train_chunk()
        counts[steps] = [operations.counts[name] for name in ("_local_scalar_dense", "_to_copy")]
        assert operations.counts["_fused_adam_"] == 2 * steps
    assert counts[2] == counts[6]


@pytest.mark.parametrize("path", ["auto", "autograd"])
@pytest.mark.parametrize("constraint", ["none", "clip", "gp", "lp"])
def test_every_tensor_of_an_update_is_on_the_populations_device(
    recipe: Callable[..., Recipe], path: str, constraint: str
) -> None:
    """torch's meta device computes shapes only, and fails where a tensor of another device comes in."""
    trained = population(recipe("vanilla", constraint), path, "meta")
    real, mix = torch.empty(2, 32, 3, device="meta"), torch.empty(2, 32, 1, device="meta")
    with torch.no_grad():
        trained.update_critic(real, real, mix)
        gradient = trained.steps(32).generator_step(torch.empty(2, 32, 2, device="meta"), real)
    assert gradient.device.type == "meta"


def test_a_gpu_that_is_not_there_is_a_users_mistake() -> None:
    if torch.cuda.is_available():
        pytest.skip("there is one")
    with pytest.raises(UserError, match="accepted: auto, cpu"), reserved_device("cuda"):
        pass
    with reserved_device("auto") as place:
        assert place == torch.device("cpu")


def hold(tmp_path: Path, name: str, locks: list[Path]) -> tuple[subprocess.Popen[bytes], Path]:
    said = tmp_path / name
    return subprocess.Popen([sys.executable, "-c", HOLD, said, *locks]), said


def wait_for(file: Path) -> str:
    deadline = time.monotonic() + 60
    while not (file.is_file() and file.read_text()) and time.monotonic() < deadline:
        time.sleep(0.02)
    return file.read_text()


def test_two_jobs_never_share_a_device(tmp_path: Path) -> None:
    locks = [tmp_path / "first.lock", tmp_path / "second.lock"]
    with free_slot(locks) as mine:
        assert mine == 0
        other, said = hold(tmp_path, "other", locks)
        try:
            assert wait_for(said) == "1"
            third = subprocess.Popen([sys.executable, "-c", HOLD, tmp_path / "third", *locks], stderr=subprocess.PIPE)
            assert third.stderr is not None
            assert third.stderr.readline() == b"all 2 CUDA devices are taken by other jobs; waiting\n"
            assert not (tmp_path / "third").exists()
        finally:
            other.kill()
    try:
        assert wait_for(tmp_path / "third") in ("0", "1")
    finally:
        third.kill()
        third.communicate()
