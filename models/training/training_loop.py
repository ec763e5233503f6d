"""The training recipe both models share: AdamW, one-cycle schedule, cross-entropy.

A checkpoint every few thousand steps holds everything that training depends on, random
states too, so that a run that was interrupted and resumed equals one that was not.
"""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from network import ByteCNN

PEAK_LEARNING_RATE = 2e-3
WARM_UP = 0.15
REPORT_EVERY = 500


def seed_everything(seed: int) -> None:
    """One thread and fixed seeds: the same machine gives the same weights."""
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)


def train(
    network: ByteCNN,
    next_batch: Callable[[], tuple[Tensor, Tensor]],
    steps: int,
    weight_decay: float,
    checkpoint: Path,
    checkpoint_every: int = 2500,
) -> float:
    """Trains in place; returns the seconds spent, those before a resumption included.

    `next_batch` returns (logits, class indices) and draws from `random` and `np.random` alone.
    """
    optimizer = torch.optim.AdamW(network.parameters(), lr=PEAK_LEARNING_RATE, weight_decay=weight_decay)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, PEAK_LEARNING_RATE, total_steps=steps, pct_start=WARM_UP
    )
    first, spent, running = 0, 0.0, None
    if checkpoint.exists():
        state = torch.load(checkpoint)
        if state["steps"] != steps:
            raise SystemExit(f"{checkpoint} is of a run of {state['steps']} steps; remove it to start afresh")
        network.load_state_dict(state["network"])
        optimizer.load_state_dict(state["optimizer"])
        schedule.load_state_dict(state["schedule"])
        random.setstate(state["random"])
        np.random.set_state(state["numpy"])
        torch.set_rng_state(state["torch"])
        first, spent, running = state["step"], state["seconds"], state["loss"]
        print(f"resumed at step {first}", flush=True)
    network.train()
    started = time.time() - spent
    for step in range(first + 1, steps + 1):
        logits, truth = next_batch()
        loss = functional.cross_entropy(logits, truth)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        schedule.step()
        running = loss.item() if running is None else 0.99 * running + 0.01 * loss.item()
        if step % REPORT_EVERY == 0:
            seconds = time.time() - started
            print(f"step {step}/{steps}  loss {running:.4f}  {seconds:.0f} s", flush=True)
        if step % checkpoint_every == 0:
            partial = checkpoint.with_suffix(".partial")
            torch.save(
                {
                    "steps": steps,
                    "step": step,
                    "seconds": time.time() - started,
                    "loss": running,
                    "network": network.state_dict(),
                    "optimizer": optimizer.state_dict(),
                    "schedule": schedule.state_dict(),
                    "random": random.getstate(),
                    "numpy": np.random.get_state(),
                    "torch": torch.get_rng_state(),
                },
                partial,
            )
            os.replace(partial, checkpoint)
    return time.time() - started
