"""Adam for stacks of parameters, in place."""

from __future__ import annotations

import torch

from wgpipe.nets import Params

EPSILON = 1e-8


class Adam:
    """Kingma & Ba 2015, algorithm 1, through torch's fused kernel.

    The kernel is called directly: `torch.optim` loads torch's compiler at its first step, 1.6 s in every process.
    """

    def __init__(self, params: Params, betas: tuple[float, float]) -> None:
        self.params = params
        self.betas = betas
        self.means = {name: torch.zeros_like(value) for name, value in params.items()}
        self.squares = {name: torch.zeros_like(value) for name, value in params.items()}
        self.steps = {name: torch.zeros((), dtype=torch.float32, device=value.device) for name, value in params.items()}

    @torch.no_grad()
    def step(self, gradients: list[torch.Tensor], rate: float) -> None:
        """One update of all parameters, with gradients in their order."""
        torch._foreach_add_(list(self.steps.values()), 1.0)
        torch._fused_adam_(
            list(self.params.values()),
            gradients,
            list(self.means.values()),
            list(self.squares.values()),
            [],
            list(self.steps.values()),
            lr=rate,
            beta1=self.betas[0],
            beta2=self.betas[1],
            weight_decay=0.0,
            eps=EPSILON,
            amsgrad=False,
            maximize=False,
        )

    def state(self) -> dict[str, torch.Tensor]:
        """Moments and step counts by name."""
        groups = {"mean": self.means, "square": self.squares, "steps": self.steps}
        return {f"{group}.{name}": value for group, values in groups.items() for name, value in values.items()}

    @torch.no_grad()
    def load_state(self, state: dict[str, torch.Tensor]) -> None:
        """Go back to a `state()`."""
        for name, value in self.state().items():
            value.copy_(state[name])
