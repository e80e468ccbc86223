"""Products of stacks are matrix products, and do not depend on how many members are stacked."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from wgpipe.nets import affine, product

SHAPES = [(3, 4), (4, 1), (1, 4), (1, 1), (64, 64), (64, 1), (1, 64)]


@pytest.mark.parametrize(("inputs", "outputs"), SHAPES)
def test_products_are_those_of_numpy(inputs: int, outputs: int) -> None:
    x, weight = torch.randn(3, 32, inputs).double(), torch.randn(3, inputs, outputs).double()
    bias = torch.randn(3, 1, outputs).double()
    np.testing.assert_allclose(product(x, weight), x.numpy() @ weight.numpy(), rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(affine(x, weight, bias), x.numpy() @ weight.numpy() + bias.numpy(), atol=1e-12)


@pytest.mark.parametrize(("inputs", "outputs"), SHAPES)
def test_a_members_product_and_its_gradients_do_not_depend_on_its_neighbours(inputs: int, outputs: int) -> None:
    x, weight, bias = torch.randn(16, 32, inputs), torch.randn(16, inputs, outputs), torch.randn(16, 1, outputs)
    direction = torch.randn(16, 32, outputs)

    def results(members: slice) -> list[torch.Tensor]:
        given = [value[members].clone().requires_grad_() for value in (x, weight, bias)]
        values = affine(*given)
        return [values.detach(), *torch.autograd.grad((values * direction[members]).sum(), given)]

    alone = results(slice(0, 1))
    for count in (2, 3, 8, 16):
        assert all(torch.equal(a[0], b[0]) for a, b in zip(alone, results(slice(0, count)), strict=True))
