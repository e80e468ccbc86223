"""Networks for images are the papers' modules, member by member, and no member sees another's batch."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable

import numpy as np
import pytest
import torch
from pydantic import ValidationError
from torch import nn

from tests.nets import plain_pictures as plain
from wgpipe import registry
from wgpipe.errors import UserError
from wgpipe.nets import Net, Params
from wgpipe.nets.autoencoder import Autoencoder
from wgpipe.nets.dcgan import Dcgan
from wgpipe.nets.pictures import PictureNet, halvings, image_shape
from wgpipe.nets.resnet import Resnet
from wgpipe.train.sizing import PICTURE_NETS

Stack = Callable[..., Params]

LATENT, BATCH = 5, 6
NETS: dict[str, PictureNet] = {
    "dcgan": Dcgan(width=2),
    "dcgan-kernel-5": Dcgan(width=2, kernel=5),
    "dcgan-layer": Dcgan(width=2, norm="layer"),
    "dcgan-none": Dcgan(width=2, norm="none"),
    "autoencoder": Autoencoder(width=2),
    "resnet": Resnet(width=3),
    "resnet-layer": Resnet(width=3, norm="layer"),
    "resnet-none": Resnet(width=3, norm="none"),
}
BATCH_NORM = ["dcgan", "dcgan-kernel-5", "resnet"]
SMOOTH = [name for name in NETS if name not in BATCH_NORM]
IMAGES = [(1, 14), (1, 28), (1, 32), (3, 32), (3, 64)]


def dimension(channels: int, side: int) -> int:
    return channels * side**2


def shaken(params: Params) -> Params:
    """Biases, scales and shifts that are not those of the start, which hide mistakes."""
    torch.manual_seed(1)
    kept = {name: value for name, value in params.items() if name.endswith("_weight") or name.startswith("state.")}
    return {name: kept.get(name, value + 0.3 * torch.randn_like(value)) for name, value in params.items()}


def generator(net: PictureNet, channels: int, side: int) -> nn.Module:
    if isinstance(net, Dcgan):
        return plain.dcgan_generator(halvings(side, 4)[::-1], net.width, channels, net.kernel, net.norm, LATENT)
    if isinstance(net, Resnet):
        return plain.resnet_generator(halvings(side, 4)[::-1], net.width, channels, net.norm, LATENT)
    return plain.began_decoder(halvings(side, 8)[::-1], net.width, channels, LATENT)  # type: ignore[attr-defined]


def critic(net: PictureNet, channels: int, side: int, outputs: int) -> nn.Module:
    if isinstance(net, Dcgan):
        return plain.dcgan_critic(halvings(side, 4), net.width, channels, net.kernel, net.norm, outputs)
    if isinstance(net, Resnet):
        return plain.resnet_critic(halvings(side, 8), net.width, channels, net.norm, outputs)
    return plain.began_encoder(halvings(side, 8), net.width, channels, outputs)  # type: ignore[attr-defined]


def images(members: int, channels: int, side: int) -> torch.Tensor:
    torch.manual_seed(0)
    return 2 * torch.rand(members, BATCH, dimension(channels, side), dtype=torch.float64) - 1


@pytest.mark.parametrize(("channels", "side"), IMAGES)
@pytest.mark.parametrize("name", NETS)
def test_what_draws_images_is_the_papers_module(stack: Stack, name: str, channels: int, side: int) -> None:
    net = NETS[name]
    params = shaken(stack(net, LATENT, dimension(channels, side)))
    noise = torch.randn(3, BATCH, LATENT, dtype=torch.float64)
    drawn = net.apply(params, noise)
    assert drawn.shape == (3, BATCH, dimension(channels, side))
    for member in range(3):
        module = plain.with_parameters(generator(net, channels, side), params, member)
        torch.testing.assert_close(drawn[member], module(noise[member]), rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("outputs", [1, 7])
@pytest.mark.parametrize(("channels", "side"), IMAGES)
@pytest.mark.parametrize("name", NETS)
def test_what_looks_at_images_is_the_papers_module(
    stack: Stack, name: str, channels: int, side: int, outputs: int
) -> None:
    net, x = NETS[name], images(3, channels, side)
    params = shaken(stack(net, dimension(channels, side), outputs))
    seen = net.apply(params, x)
    assert seen.shape == (3, BATCH, outputs)
    for member in range(3):
        module = plain.with_parameters(critic(net, channels, side, outputs), params, member)
        torch.testing.assert_close(seen[member], module(x[member]), rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("name", SMOOTH)
def test_the_gradient_of_a_penalty_is_that_of_the_papers_module(stack: Stack, name: str) -> None:
    net, x = NETS[name], images(3, 1, 14)
    params = {key: value.requires_grad_() for key, value in shaken(stack(net, 196, 1)).items()}
    slope = torch.linalg.vector_norm(net.input_gradient(params, x), dim=-1)
    found = torch.autograd.grad((slope - 1).square().sum(), list(params.values()), allow_unused=True)
    for member in range(3):
        module = plain.with_parameters(critic(net, 1, 14, 1), params, member)
        points = x[member].clone().requires_grad_()
        (gradient,) = torch.autograd.grad(module(points).sum(), points, create_graph=True)
        penalty = (gradient.norm(dim=1) - 1).square().sum()
        expected = torch.autograd.grad(penalty, list(module.parameters()), allow_unused=True)
        for own, other in zip(found, expected, strict=True):
            if other is None:
                assert own is None or not own[member].any(), "a bias that no slope depends on"
            else:
                target = other.mT if other.ndim == 2 else other
                torch.testing.assert_close(own[member], target, rtol=1e-7, atol=1e-10)


@pytest.mark.parametrize("name", NETS)
def test_another_batch_of_one_member_leaves_the_others_outputs(stack: Stack, name: str) -> None:
    net = NETS[name]
    for inputs, outputs in ((LATENT, 196), (196, 1)):
        params, x = stack(net, inputs, outputs), torch.randn(3, BATCH, inputs, dtype=torch.float64)
        before = net.apply(params, x)
        x[1] += 1
        after = net.apply(params, x)
        assert torch.equal(before[[0, 2]], after[[0, 2]])
        assert not torch.equal(before[1], after[1])


@pytest.mark.parametrize("name", NETS)
def test_a_stack_has_the_bytes_of_each_member_alone(stack: Stack, name: str) -> None:
    net = NETS[name]
    for inputs, outputs in ((LATENT, 784), (784, 1)):
        params, x = stack(net, inputs, outputs, torch.float32), torch.randn(3, 32, inputs)
        together = net.apply(params, x)
        for member in range(3):
            own = {key: each[member : member + 1] for key, each in params.items()}
            assert torch.equal(net.apply(own, x[member : member + 1])[0], together[member])


@pytest.mark.parametrize("name", NETS)
def test_a_batch_decides_outputs_only_under_batch_norm_that_is_not_settled(stack: Stack, name: str) -> None:
    net = NETS[name]
    params, noise = stack(net, LATENT, 196), torch.randn(3, BATCH, LATENT, dtype=torch.float64)
    alone = torch.cat([net.apply(params, one) for one in noise.split(1, dim=1)], dim=1)
    assert net.normalises_batches() == (name in BATCH_NORM)
    assert torch.allclose(alone, net.apply(params, noise)) == (name not in BATCH_NORM)
    settled = net.settled(params, [noise])
    alone = torch.cat([net.apply(settled, one) for one in noise.split(1, dim=1)], dim=1)
    torch.testing.assert_close(alone, net.apply(settled, noise))


@pytest.mark.parametrize("name", BATCH_NORM)
def test_settled_statistics_are_the_running_ones_of_torch_with_equal_weights(stack: Stack, name: str) -> None:
    net = NETS[name]
    params = shaken(stack(net, LATENT, 784))
    batches = [torch.randn(3, BATCH, LATENT, dtype=torch.float64) for _ in range(4)]
    with torch.no_grad():
        settled = net.settled(params, iter(batches))
    assert {key: value for key, value in settled.items() if key in params}.keys() == params.keys()
    assert all(settled[key] is params[key] for key in params)
    noise = torch.randn(3, 9, LATENT, dtype=torch.float64)
    drawn = net.apply(settled, noise)
    for member in range(3):
        module = plain.with_parameters(generator(net, 1, 28), params, member)
        norms = [layer for layer in module.modules() if isinstance(layer, nn.BatchNorm2d)]
        for layer in norms:
            layer.momentum = None  # torch's way to ask for the plain mean over batches
        for batch in batches:
            module(batch[member])
        module.eval()
        torch.testing.assert_close(drawn[member], module(noise[member]), rtol=1e-9, atol=1e-11)
    assert len(settled) == len(params) + 2 * len(norms)


@pytest.mark.parametrize("name", [name for name in NETS if name not in BATCH_NORM])
def test_settling_changes_nothing_where_no_batch_is_normalised(stack: Stack, name: str) -> None:
    params = stack(NETS[name], LATENT, 196)

    def unused() -> torch.Tensor:
        raise AssertionError("no batch is needed")

    assert NETS[name].settled(params, (unused() for _ in range(1))) is params


@pytest.mark.parametrize("name", [name for name in NETS if name != "autoencoder"])
def test_images_lie_within_the_range_of_tanh(stack: Stack, name: str) -> None:
    net = NETS[name]
    params = {key: 30 * value for key, value in stack(net, LATENT, 784).items()}
    drawn = net.apply(params, torch.randn(3, BATCH, LATENT, dtype=torch.float64))
    assert drawn.abs().max() <= 1
    assert drawn.abs().max() > 0.99


def test_the_decoder_of_began_is_not_bounded(stack: Stack) -> None:
    params = {key: 30 * value for key, value in stack(NETS["autoencoder"], LATENT, 784).items()}
    assert NETS["autoencoder"].apply(params, torch.randn(3, BATCH, LATENT, dtype=torch.float64)).abs().max() > 1


def test_the_networks_of_the_coulomb_gan_have_the_papers_channels() -> None:
    net = Dcgan(width=128, kernel=5)
    looking = [layer.outputs for layer in net.layers(3 * 64**2, 1).values()]
    assert looking == [(128, 32, 32), (256, 16, 16), (512, 8, 8), (1024, 4, 4), (1, 1, 1)]
    drawing = [layer.outputs for layer in net.layers(32, 3 * 64**2).values()]
    assert drawing == [(1024, 4, 4), (512, 8, 8), (256, 16, 16), (128, 32, 32), (3, 64, 64)]


def test_channels_of_an_encoder_grow_linearly_and_a_decoder_keeps_them() -> None:
    net = Autoencoder(width=64)
    assert [layer.outputs[0] for layer in net.layers(3 * 64**2, 32).values()] == [
        *[64] * 3,
        *[128] * 2,
        *[192] * 2,
        *[256] * 2,
        32,
    ]
    assert {layer.outputs[0] for layer in net.layers(32, 3 * 64**2).values()} == {64, 3}


def test_weights_of_dcgan_start_as_in_the_paper() -> None:
    params = Dcgan(width=64).init(np.random.default_rng(0), 32, 784)
    assert all(value.dtype == np.float32 for value in params.values())
    for name, value in params.items():
        if name.endswith("_weight") and value.size > 5000:
            assert value.std() == pytest.approx(0.02, rel=0.03)
            assert abs(value.mean()) < 0.001
        if name.endswith("_scale"):
            assert value.mean() == pytest.approx(1, abs=0.01)
            assert value.std() == pytest.approx(0.02, rel=0.3)
        if name.endswith(("_bias", "_shift")):
            assert not value.any()


@pytest.mark.parametrize(
    ("net", "name", "variance"),
    [
        (Resnet(width=32), "up1_a", 2 / (32 * 9)),
        (Resnet(width=32), "up1_short", 1 / 32),
        (Autoencoder(width=32), "up1a", 2 / (2 * 32 * 9)),
    ],
)
def test_other_weights_start_with_the_variance_of_the_docstring(net: Net, name: str, variance: float) -> None:
    weight = net.init(np.random.default_rng(0), 16, 784)[f"{name}_weight"]
    assert weight.var() == pytest.approx(variance, rel=0.1)


@pytest.mark.parametrize(
    ("given", "expected"), [(1, (1, 1, 1)), (784, (1, 28, 28)), (3072, (3, 32, 32)), (3, (3, 1, 1))]
)
def test_a_dimension_tells_the_shape_of_an_image(given: int, expected: tuple[int, int, int]) -> None:
    assert image_shape(given) == expected


def test_no_dimension_is_that_of_a_grey_and_of_a_colour_image() -> None:
    squares = {side**2 for side in range(1, 2000)}
    assert not squares & {3 * square for square in squares}


@pytest.mark.parametrize("name", PICTURE_NETS)
@pytest.mark.parametrize(
    ("sizes", "message"),
    [
        ((8, 1), "dimension 8 is that of no square image; accepted: side² (grey) or 3·side² (colour)."),
        ((2, 8), "dimension 8 is that of no square image; accepted: side² (grey) or 3·side² (colour)."),
        ((16, 1), "an image of 4×4 is too small; accepted: sides of"),
    ],
)
def test_data_that_are_no_images_are_refused(name: str, sizes: tuple[int, int], message: str) -> None:
    net = registry.load("net", name)()
    with pytest.raises(UserError) as refused:
        net.init(np.random.default_rng(0), *sizes)
    assert str(refused.value).startswith(f"net '{name}': {message}")


@pytest.mark.parametrize("cls", [Dcgan, Autoencoder, Resnet])
def test_the_smallest_accepted_side_works_and_so_do_odd_ones(stack: Stack, cls: type[PictureNet]) -> None:
    net = cls(width=2)  # type: ignore[call-arg]
    for side in (net.smallest, 11, 13):
        drawn = net.apply(stack(net, 2, side**2), torch.randn(3, 2, 2, dtype=torch.float64))
        assert net.apply(stack(net, side**2, 1), drawn).shape == (3, 2, 1)
    with pytest.raises(UserError):
        net.check(2, (net.smallest - 1) ** 2)


@pytest.mark.parametrize("settings", [{"norm": "instance"}, {"kernel": 1}, {"width": 0}, {"hidden": [8]}])
def test_impossible_settings_are_refused(settings: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Dcgan.model_validate(settings)


class TestSize:
    @pytest.mark.parametrize("name", NETS)
    def test_weights_are_those_of_the_parameters(self, name: str) -> None:
        for inputs, outputs in ((LATENT, 784), (784, 3)):
            params = NETS[name].init(np.random.default_rng(0), inputs, outputs)
            weights = sum(value.size for key, value in params.items() if key.endswith("_weight"))
            assert NETS[name].size(inputs, outputs).weights == weights

    @pytest.mark.parametrize("name", NETS)
    def test_multiplications_are_those_that_torch_counts(self, stack: Stack, name: str) -> None:
        from torch.utils.flop_counter import FlopCounterMode

        for inputs, outputs in ((LATENT, 784), (784, 3)):
            params = {key: value[:1] for key, value in stack(NETS[name], inputs, outputs).items()}
            with FlopCounterMode(display=False) as counter:
                NETS[name].apply(params, torch.randn(1, BATCH, inputs, dtype=torch.float64))
            assert counter.get_total_flops() == 2 * BATCH * NETS[name].size(inputs, outputs).multiplications

    def test_nets_that_say_their_size_load_no_torch_for_it_and_are_all_known(self) -> None:
        program = (
            "import sys; from wgpipe import registry; from wgpipe.train.sizing import PICTURE_NETS\n"
            "for name in PICTURE_NETS: assert min(registry.load('net', name)().size(32, 784)) > 0\n"
            "sys.exit('torch' in sys.modules)"
        )
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        drawing = [name for name in registry.package_files("net") if issubclass(registry.load("net", name), PictureNet)]
        assert tuple(drawing) == PICTURE_NETS
