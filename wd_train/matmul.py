"""How fast does this device multiply matrices, at best and in the shapes of a network?"""

from __future__ import annotations

import time
from functools import cache

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

Shape = tuple[int, int, int]
"""Of a product: (rows, k) times (k, columns) is (rows, k, columns)."""

LARGE = {"cpu": 512, "mps": 2048, "cuda": 4096}
"""A side from which a product is as fast as it gets: 512 reach what 2048 do on a server's processor."""
MEASURED_FOR = 0.004
"""Seconds over which a product is repeated; the first, which is not counted, comes on top."""


def large(device: torch.device) -> Shape:
    """A product that is as fast on the device as products get."""
    side = LARGE.get(device.type, 1024)
    return side, side, side


def product_speed(shape: Shape, device: torch.device, dtype: torch.dtype = torch.float32) -> float:
    """Floating-point operations a second of one matrix product, with as many threads as are set.

    It is measured once in a process. No side counts for more than that of `large`: more is not faster.
    """
    side = large(device)[0]
    rows, k, columns = (min(each, side) for each in shape)
    return _measured(rows, k, columns, device, dtype, torch.get_num_threads())


@cache
def _measured(
    rows: int, k: int, columns: int, device: torch.device, dtype: torch.dtype, threads: int
) -> float:
    # Not drawn: the generators are the training's. What is in the matrices does not change the speed.
    left = torch.full((rows, k), 0.5, device=device, dtype=dtype)
    right = torch.full((k, columns), 0.5, device=device, dtype=dtype)
    out = torch.empty((rows, columns), device=device, dtype=dtype)
    # Small products are repeated before one looks at the clock.
    times = 1 + int(1e6 / (rows * k * columns)) if device.type == "cpu" else 8
    _seconds(left, right, out, times)
    best, until = float("inf"), time.perf_counter() + MEASURED_FOR
    while best == float("inf") or time.perf_counter() < until:
        best = min(best, _seconds(left, right, out, times))
    return 2 * rows * k * columns * times / best


def _seconds(left: Tensor, right: Tensor, out: Tensor, times: int) -> float:
    started = time.perf_counter()
    for _ in range(times):
        torch.mm(left, right, out=out)
    if left.device.type != "cpu":
        torch.accelerator.synchronize(left.device)
    return time.perf_counter() - started


def operations_of(
    net: nn.Module, inputs: Tensor | dict[str, Tensor], rows: int
) -> tuple[int | None, Shape | None]:
    """Floating-point operations a row of the outputs and all gradients, as torch counts them.

    torch counts matrix products and convolutions, which is nearly all. The network is shown the inputs in
    evaluation mode, and its gradients are gone afterwards.

    Args:
        net: on the device of the inputs.
        inputs: of a few rows.
        rows: how many these are.

    Returns:
        The operations; None where the network gives no gradients in evaluation mode. The product of the layer
        with most of them, for one row; None where there is neither a linear layer nor a convolution.
    """
    products: list[Shape] = []
    hooks = [
        module.register_forward_hook(lambda module, _, outputs: products.append(_product(module, outputs)))
        for module in net.modules()
        if isinstance(module, nn.Linear | nn.modules.conv._ConvNd)
    ]
    try:
        operations = _forward_and_backward(net, inputs)
    finally:
        for hook in hooks:
            hook.remove()
    widest = max(products, key=lambda shape: shape[0] * shape[1] * shape[2], default=None)
    shape = None if widest is None else (max(1, widest[0] // rows), widest[1], widest[2])
    return None if operations is None else operations // rows, shape


def _forward_and_backward(net: nn.Module, inputs: Tensor | dict[str, Tensor]) -> int | None:
    was_training = net.training
    # cuDNN gives no gradients of recurrent layers in evaluation mode.
    without_cudnn = torch.backends.cudnn.flags(enabled=False)
    try:
        with torch.enable_grad(), without_cudnn, FlopCounterMode(display=False) as counter:
            net.eval()(inputs).sum().backward()
    except RuntimeError:
        # Not every network has gradients when it is evaluated, and its training has ended well without.
        return None
    finally:
        net.train(was_training)
        net.zero_grad()
    return int(counter.get_total_flops())


def _product(module: nn.Module, outputs: Tensor) -> Shape:
    """The product that a layer is; a convolution as one of all patches with its filters."""
    if isinstance(module, nn.Linear):
        return outputs.numel() // module.out_features, module.in_features, module.out_features
    assert isinstance(module, nn.modules.conv._ConvNd)  # noqa: S101 - only these two are asked
    columns = module.out_channels // module.groups
    k = module.weight[0].numel()
    return outputs.numel() // module.out_channels, k, columns
