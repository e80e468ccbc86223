"""What is trained in every implementation alike, and the arithmetic that it needs."""

from __future__ import annotations

from dataclasses import dataclass

METHODS = ("wgan-lp", "vanilla-lp", "wgan-groupsort", "wgan-clip")
SIZES = ((32, 64), (64, 256), (128, 256))  # (width h of both hidden layers, batch B)
STACKS = (1, 4, 16, 64)

DIMENSION = 2  # of the data and of the latent points, which are uniform on [-1, 1]^2
POINTS = 1024  # training points of a member
CRITIC_STEPS = 5
RATE = 1e-4  # of Adam, both sides
BETAS = (0.5, 0.9)
PENALTY = 10.0
CLIP = 0.01
NEWTON_STEPS = 3

LONGEST_SLICE = 1.2e11  # flop; keeps a slice to one or two seconds on one core
SLICE_STEPS = (100, 50, 20, 10, 5, 3, 2, 1)


@dataclass(frozen=True)
class Cell:
    """A training of E members: generator 2 → h → h → 2, critic 2 → h → h → 1, on batches of B points."""

    method: str
    width: int
    batch: int
    stack: int

    def __post_init__(self) -> None:
        if self.method not in METHODS:
            raise ValueError(f"method '{self.method}' is unknown; accepted: {', '.join(METHODS)}.")

    @classmethod
    def parse(cls, text: str) -> Cell:
        """From `wgan-lp:32x64:16`; ValueError says what is wrong."""
        try:
            method, size, stack = text.split(":")
            width, batch = size.split("x")
            numbers = int(width), int(batch), int(stack)
        except ValueError:
            raise ValueError(f"cell '{text}' is malformed; accepted: <method>:<width>x<batch>:<stack>.") from None
        return cls(method, *numbers)

    def __str__(self) -> str:
        return f"{self.method}:{self.width}x{self.batch}:{self.stack}"

    @property
    def penalised(self) -> bool:
        return self.method.endswith("-lp")

    def steps(self) -> int:
        """Generator updates of the shortest timed piece: 100, the engine's chunk, or fewer where that takes long."""
        budget = LONGEST_SLICE / (self.stack * self.flops())
        return next((steps for steps in SLICE_STEPS if steps <= budget), 1)

    def flops(self) -> int:
        """Floating-point operations of the matrix products of one iteration of one member: two a multiplication.

        An iteration is CRITIC_STEPS critic updates and one generator update. Counted is what cannot be left out: each
        layer's product forward; backward the gradient of its weights where these are trained, and that of its input
        where something before it needs that; for the penalty the values before the last activation, the input
        gradient, and the products that carry the penalty's gradient back through it; for GroupSort the
        Newton-Schulz steps. Elementwise work and random numbers do not count.
        """
        h, d, batch = self.width, DIMENSION, self.batch
        generator, critic = d * h + h * h + h * d, d * h + h * h + h
        critic_backward = critic + (h * h + h)
        critic_update = batch * generator + 2 * batch * (critic + critic_backward)
        if self.penalised:
            masks, input_gradient, penalty_backward = d * h + h * h, h * h + h * d, 2 * h * h + 2 * d * h
            critic_update += batch * (masks + input_gradient + penalty_backward)
        if self.method == "wgan-groupsort":
            critic_update += NEWTON_STEPS * 2 * (d * d * h + h * h * h + h)
        generator_update = batch * (generator + critic + critic + generator + h * h + h * d)
        return 2 * (CRITIC_STEPS * critic_update + generator_update)


def all_cells(methods: tuple[str, ...] = METHODS, stacks: tuple[int, ...] = STACKS) -> list[Cell]:
    """The whole grid, cells that differ in their stack alone side by side."""
    return [Cell(method, *size, stack) for method in methods for size in SIZES for stack in stacks]
