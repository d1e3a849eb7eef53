"""Where training runs: device, precision and processes, all through accelerate."""

import hashlib
from typing import Literal

import torch
from accelerate import Accelerator

Precision = Literal["fp32", "bf16"]


def accelerator(cpu: bool = False) -> Accelerator:
    """An accelerator for this process: a GPU where there is one, the CPU, or a rank of `accelerate launch`."""
    return Accelerator(mixed_precision="no", cpu=cpu)


def autocast(precision: Precision, device: torch.device) -> torch.autocast:
    """The context of a forward pass. `bf16` runs matrix products in bfloat16; weights stay in float32.

    Not accelerate's, which fixes one precision for the whole process.
    """
    return torch.autocast(device.type, torch.bfloat16, enabled=precision == "bf16")


def seed_step(seed: int, step: int, rank: int) -> None:
    """Seed torch's generators from (seed, step, rank), so that a resumed run draws what it would have drawn."""
    digest = hashlib.sha256(f"{seed}/{step}/{rank}".encode()).digest()
    torch.manual_seed(int.from_bytes(digest[:8], "big", signed=True))


def leave() -> None:
    """Part from the other processes at the end of a program: gloo aborts a rank that others just drop."""
    if torch.distributed.is_initialized():
        torch.distributed.barrier()
        torch.distributed.destroy_process_group()
