#!/usr/bin/python3
"""Trains the content-type model and measures it on package families it never saw.

Reads the fragments that build_data.py cut; writes content-type.pth (a plain state dict,
batch norm unfolded) and evaluation.json.
"""

from __future__ import annotations

import argparse
import json
import pickle
import random
import sys
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "training"))
import evaluation
from network import ByteCNN, encode, read_model_folder
from training_loop import seed_everything, train

BATCH = 32
WEIGHT_DECAY = 3e-2
SHORTENED = 0.15  # share of fragments cut to 64 bytes or more, so that shorter inputs are known


def shortened(fragment: bytes) -> bytes:
    length = random.randint(64, len(fragment) - 1)
    start = random.randint(0, len(fragment) - length)
    return fragment[start : start + length]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("work", type=Path, help="the work folder that build_data.py filled")
    parser.add_argument("--samples", type=int, default=300_000, help="training samples to draw (default %(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="seed of weights and samples (default %(default)s)")
    arguments = parser.parse_args()

    seed_everything(arguments.seed)
    architecture, labels = read_model_folder(HERE)
    data = pickle.loads((arguments.work / "fragments.pickle").read_bytes())
    if data["labels"] != labels:
        raise SystemExit("fragments.pickle was built with other labels: run build_data.py again")
    pools: list[list[bytes]] = [[] for _ in labels]
    for fragment, label in data["train"]:
        pools[label].append(fragment)

    def next_batch() -> tuple[Tensor, Tensor]:
        truth = np.random.randint(0, len(labels), BATCH)
        fragments = [random.choice(pools[label]) for label in truth]
        fragments = [shortened(f) if random.random() < SHORTENED else f for f in fragments]
        return network(encode(fragments, architecture)), torch.from_numpy(truth)

    network = ByteCNN(architecture, len(labels))
    print(f"{network.learned()} parameters, {len(data['train'])} fragments, {arguments.samples} samples", flush=True)
    steps = arguments.samples // BATCH
    seconds = train(network, next_batch, steps, WEIGHT_DECAY, arguments.work / f"checkpoint-{arguments.seed}.pt")
    torch.save(network.state_dict(), HERE / "content-type.pth")

    def predict(samples: list[tuple[bytes, int]], length: int) -> tuple[np.ndarray, np.ndarray]:
        tokens = encode([fragment[:length] for fragment, _ in samples], architecture)
        return evaluation.probabilities(network, tokens), np.array([label for _, label in samples])

    max_len = architecture["max_len"]
    probability, truth = predict(data["test"], max_len)
    test = evaluation.summary(probability, truth, labels)
    apart = ~data["test_shares_run"]
    test["without_shared_runs"] = {
        "samples": int(apart.sum()),
        "macro_accuracy": evaluation.macro_accuracy(probability.argmax(axis=1), truth, apart),
    }
    test["by_length"] = {}
    for length in (64, 128, 256, max_len):
        predicted = predict(data["test"], length)[0].argmax(axis=1)
        test["by_length"][f"{length} bytes"] = {"macro_accuracy": evaluation.macro_accuracy(predicted, truth)}
    report = {
        "parameters": network.learned(),
        "training": {
            "fragments": len(data["train"]),
            "samples": steps * BATCH,
            "seed": arguments.seed,
            "seconds": round(seconds),
        },
        "test": test,
    }
    (HERE / "evaluation.json").write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    print({key: value for key, value in test.items() if key not in ("by_class", "confusions")})



if __name__ == "__main__":
    main()
