"""With which numbers is a forward pass computed?"""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Literal

import torch
from torch import Tensor

from data_checks.errors import TrainingError

Precision = Literal["auto", "float32", "bfloat16"]


class Precise:
    """The numbers that matrix products and convolutions are computed with; the weights stay as they are.

    bfloat16 has the range of float32, so that losses need no scaling (Kalamkar et al. 2019). What is
    measured, compared and exported is float32.

    Args:
        device: where it is computed.
        precision: `bfloat16` where the device has it, or `float32`; `auto` takes bfloat16 on a GPU that has
            it. On a CPU it stays with float32: small networks lose there, and who wants it asks for it.

    Raises:
        TrainingError: bfloat16 is asked for on a device that only emulates it.
    """

    def __init__(self, device: torch.device, precision: Precision = "float32") -> None:
        has = has_bfloat16(device)
        if precision == "bfloat16" and not has:
            raise TrainingError(
                f"precision='bfloat16' is not computed by this {device.type} device, expected 'float32'"
            )
        self._device = device.type
        self.bfloat16 = has and (precision == "bfloat16" or (precision == "auto" and device.type == "cuda"))

    def autocast(self) -> AbstractContextManager[object]:
        """Within this context matrix products and convolutions are computed so."""
        return torch.autocast(self._device, torch.bfloat16) if self.bfloat16 else nullcontext()

    def full(self, outputs: Tensor) -> Tensor:
        """The outputs with the precision that losses are computed with."""
        return outputs.float() if outputs.dtype == torch.bfloat16 else outputs


def has_bfloat16(device: torch.device) -> bool:
    """Whether the device itself multiplies bfloat16 numbers; emulation is slower than float32."""
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    if device.type == "cpu":
        return bool(torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported())
    return False
