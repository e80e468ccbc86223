"""A Coulomb GAN's critic against the potential: in trained blocks, and with a critic that is known."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from safetensors.numpy import load_file, save_file

from tests.blocks import adversarial, job, prepared, trained
from wgpipe.metrics.charges import Charges
from wgpipe.recipe import Recipe
from wgpipe.train import files
from wgpipe.train.evaluate import TrainedBlock

EPSILON, DIMENSION, CONSTANT = 0.7, 4.0, np.array([0.25, -2.0])


@pytest.fixture(scope="module")
def block(tmp_path_factory: pytest.TempPathFactory) -> TrainedBlock:
    """Two members; their critics are made the constants 0.25 and -2 after the training."""
    folder = tmp_path_factory.mktemp("charges")
    plain = adversarial(steps=300).model_dump()
    method = {"name": "coulomb", "epsilon": EPSILON, "dimension": DIMENSION}
    made = job(prepared(folder), Recipe.model_validate({**plain, "method": method}))
    found = TrainedBlock(made, trained(made, folder / "bundle"))
    stored = {name: np.zeros_like(value) for name, value in load_file(found.folder / files.CRITIC).items()}
    last = max(name for name in stored if "bias" in name)
    stored[last][:] = CONSTANT[:, None, None]
    save_file(stored, found.folder / files.CRITIC)
    return found


def kernel(a: np.ndarray, b: np.ndarray) -> float:
    return float((np.sum((a - b) ** 2) + EPSILON**2) ** (-(DIMENSION - 2) / 2))


def potentials(real: np.ndarray, fake: np.ndarray) -> np.ndarray:
    """At the real, then at the generated points, charge by charge, without the point itself."""
    found = []
    for own, other, sign in ((real, fake, -1), (fake, real, 1)):
        for place, at in enumerate(own):
            mine = np.mean([kernel(at, each) for i, each in enumerate(own) if i != place])
            found.append(sign * (mine - np.mean([kernel(at, each) for each in other])))
    return np.asarray(found)


def test_error_and_power_are_means_over_both_kinds_of_points(block: TrainedBlock) -> None:
    found = {name: values for name, (values, _) in Charges(pairs=12, shown=3).measure(block).items()}
    for member, constant in enumerate(CONSTANT):
        exact = potentials(block.real(12)[member], block.generated(12)[member])
        assert found["field_power"][member] == pytest.approx(np.mean(exact**2), rel=1e-6)
        assert found["field_error"][member] == pytest.approx(np.mean((constant - exact) ** 2), rel=1e-6)
        assert found["field_ratio"][member] == pytest.approx(np.mean((constant - exact) ** 2) / np.mean(exact**2))
        shown = [found[f"charge_potential:{place}"][member] for place in range(6)]
        np.testing.assert_allclose(shown, exact[[0, 12, 1, 13, 2, 14]], rtol=1e-6)
        assert {found[f"charge_critic:{place}"][member] for place in range(6)} == {constant}


def test_the_course_of_training_is_that_of_the_history(block: TrainedBlock) -> None:
    found = Charges(pairs=12, shown=1, snapshots=2).measure(block)
    history = pq.read_table(block.folder / files.HISTORY).to_pandas().set_index(["step", "seed"])["critic_loss"]
    steps = sorted(int(name.split(":")[1]) for name in found if name.startswith("regression"))
    assert steps == [100, 300]
    for step in steps:
        assert found[f"regression:{step}"][0].tolist() == [history[step, 0], history[step, 1]]


def test_self_terms_are_k_of_0_over_the_batch(block: TrainedBlock) -> None:
    np.testing.assert_allclose(Charges(pairs=12, shown=1).measure(block)["self_term"][0], 1, atol=1e-9)


def test_other_methods_have_nothing(tmp_path: Path) -> None:
    made = job(prepared(tmp_path), adversarial(steps=1))
    assert Charges().measure(TrainedBlock(made, trained(made, tmp_path / "bundle"))) == {}
