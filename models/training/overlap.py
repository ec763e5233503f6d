"""Finds test samples of which a run of bytes stands in the training data too.

A split by package family still leaves sentences and licences that many projects share.
Accuracy on the samples without such runs shows what the model knows beyond them.
"""

from __future__ import annotations

import numpy as np


def run_hashes(data: bytes, length: int) -> np.ndarray:
    """A 64-bit hash of each run of `length` bytes, in order; empty where data is shorter."""
    runs = len(data) - length + 1
    if runs <= 0:
        return np.zeros(0, np.uint64)
    values = np.frombuffer(data, np.uint8).astype(np.uint64) + np.uint64(1)
    multipliers = np.random.default_rng(20).integers(1, 2**63, length, dtype=np.uint64) | np.uint64(1)
    hashes = np.zeros(runs, np.uint64)
    for offset, multiplier in enumerate(multipliers):
        hashes += values[offset : offset + runs] * multiplier
    return hashes


def shares_run(tested: list[bytes], trained: list[bytes], length: int, joined: int = 20000) -> np.ndarray:
    """For each tested sample, whether `length` consecutive bytes of it stand in a trained one."""
    tested_hashes = [run_hashes(sample, length) for sample in tested]
    known = np.unique(np.concatenate(tested_hashes))
    found = np.zeros(len(known), bool)
    for start in range(0, len(trained), joined):
        hashes = run_hashes(b"\n".join(trained[start : start + joined]), length)
        place = np.minimum(np.searchsorted(known, hashes), len(known) - 1)
        found[place[known[place] == hashes]] = True
    return np.array([bool(found[np.searchsorted(known, hashes)].any()) for hashes in tested_hashes])
