"""Muon for the convolutions, AdamW for the rest.

Muon (Jordan et al. 2024) makes every update of a weight matrix orthogonal, which needs clearly fewer steps than Adam
to the same loss on small convolutional networks; steps are what a CPU has few of.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

NEWTON_SCHULZ = (3.4445, -4.7750, 2.0315)  # the quintic of the reference implementation
RMS_TO_ADAM = 0.2  # Liu et al. 2025: an update of this RMS may share AdamW's learning rate and decay


def orthogonal(matrix: Tensor, steps: int = 5) -> Tensor:
    """Nearest semi-orthogonal matrix, about."""
    a, b, c = NEWTON_SCHULZ
    x = (matrix / (matrix.norm() + 1e-7)).bfloat16()
    tall = x.shape[0] > x.shape[1]
    x = x.T if tall else x
    for _ in range(steps):
        gram = x @ x.T
        x = a * x + (b * gram + c * gram @ gram) @ x
    return (x.T if tall else x).float()


class Muon(torch.optim.Optimizer):
    """Nesterov momentum, made orthogonal; weights of four dimensions are taken as [out, in*k*k]."""

    def __init__(self, params: list[nn.Parameter], lr: float, momentum: float = 0.95, decay: float = 0.02) -> None:
        super().__init__(params, {"lr": lr, "momentum": momentum, "decay": decay})

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # noqa: ARG002
        for group in self.param_groups:
            for weight in group["params"]:
                if weight.grad is None:
                    continue
                state = self.state[weight]
                momentum = state.setdefault("momentum", torch.zeros_like(weight))
                momentum.lerp_(weight.grad, 1 - group["momentum"])
                update = weight.grad.lerp(momentum, group["momentum"]).flatten(1)
                scale = RMS_TO_ADAM * max(update.shape) ** 0.5
                weight.mul_(1 - group["lr"] * group["decay"])
                weight.add_(orthogonal(update).reshape(weight.shape), alpha=-group["lr"] * scale)


def optimisers(model: nn.Module, lr: float) -> list[torch.optim.Optimizer]:
    """Both optimisers over all parameters; depthwise filters, biases and norms go to AdamW."""
    matrices = [p for p in model.parameters() if p.ndim >= 2 and p.shape[1] > 1]
    chosen = {id(p) for p in matrices}
    others = [p for p in model.parameters() if id(p) not in chosen]
    return [Muon(matrices, lr), torch.optim.AdamW(others, lr, weight_decay=0.0)]
