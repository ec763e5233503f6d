#!/usr/bin/python3
"""Trains the language model and measures it on package families it never saw.

Reads the texts that build_data.py gathered; writes language.pth (a plain state dict, batch
norm unfolded) and evaluation.json.
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
from collapsed_padding import CollapsedPadding
from network import ByteCNN, encode, read_model_folder
from training_loop import seed_everything, train

BATCH = 64
WEIGHT_DECAY = 1e-2


def augmented(text: str, others: list[str], max_len: int) -> bytes:
    """Varies length and case: texts are joined, cut to a run of words, lowered or raised."""
    draw = random.random()
    if draw < 0.15:
        text += random.choice((". ", " ", "; ", ": ", ", ", "! ", "? ")) + random.choice(others)
    elif draw < 0.20:
        while len(text.encode()) < max_len and random.random() < 0.85:
            text += ". " + random.choice(others)
    if random.random() < 0.35:
        words = text.split(" ")
        if len(words) > 3:
            count = random.randint(2, min(len(words), 12))
            start = random.randint(0, len(words) - count)
            text = " ".join(words[start : start + count])
        elif len(words) == 1 and len(text) > 10:
            count = random.randint(6, len(text))
            start = random.randint(0, len(text) - count)
            text = text[start : start + count]
    if random.random() < 0.3:
        text += random.choice((".", "!", "?", "..."))
    draw = random.random()
    if draw < 0.12:
        text = text.lower()
    elif draw < 0.14:
        text = text.upper()
    return text.encode()


def evaluate(
    network: ByteCNN, samples: list[tuple[str, int]], architecture: dict, labels: list[str]
) -> tuple[dict, np.ndarray, np.ndarray]:
    """Returns (figures, predicted classes, true classes)."""
    texts = [text.encode() for text, _ in samples]
    truth = np.array([label for _, label in samples])
    probability = evaluation.probabilities(network, encode(texts, architecture))
    predicted = probability.argmax(axis=1)
    lengths = np.array([len(text) for text in texts])
    result = evaluation.summary(probability, truth, labels)
    result["by_length"] = {
        name: {"samples": int(mask.sum()), "macro_accuracy": evaluation.macro_accuracy(predicted, truth, mask)}
        for name, mask in (
            ("up to 20 bytes", lengths <= 20),
            ("21 to 60 bytes", (lengths > 20) & (lengths <= 60)),
            ("61 to 120 bytes", (lengths > 60) & (lengths <= 120)),
            ("more than 120 bytes", lengths > 120),
        )
    }
    return result, predicted, truth


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("work", type=Path, help="the work folder that build_data.py filled")
    parser.add_argument("--samples", type=int, default=1_000_000, help="training samples to draw (default %(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="seed of weights and samples (default %(default)s)")
    arguments = parser.parse_args()

    seed_everything(arguments.seed)
    architecture, labels = read_model_folder(HERE)
    data = pickle.loads((arguments.work / "texts.pickle").read_bytes())
    if data["labels"] != labels:
        raise SystemExit("texts.pickle was built with other labels: run build_data.py again")
    pools: list[list[str]] = [[] for _ in labels]
    for text, label in data["train"]:
        pools[label].append(text)

    def next_batch() -> tuple[Tensor, Tensor]:
        truth = np.random.randint(0, len(labels), BATCH)
        texts = [augmented(random.choice(pools[label]), pools[label], architecture["max_len"]) for label in truth]
        logits, order = forward(texts)
        return logits, torch.from_numpy(truth[order])

    network = ByteCNN(architecture, len(labels))
    forward = CollapsedPadding(network, architecture)
    print(f"{network.learned()} parameters, {sum(map(len, pools))} texts, {arguments.samples} samples", flush=True)
    steps = arguments.samples // BATCH
    seconds = train(network, next_batch, steps, WEIGHT_DECAY, arguments.work / f"checkpoint-{arguments.seed}.pt")
    torch.save(network.state_dict(), HERE / "language.pth")

    test, predicted, truth = evaluate(network, data["test"], architecture, labels)
    apart = ~data["test_shares_run"]
    test["without_shared_runs"] = {
        "samples": int(apart.sum()),
        "macro_accuracy": evaluation.macro_accuracy(predicted, truth, apart),
    }
    report = {
        "parameters": network.learned(),
        "training": {
            "texts": sum(map(len, pools)),
            "samples": steps * BATCH,
            "seed": arguments.seed,
            "seconds": round(seconds),
        },
        "test": test,
        "other_genre": evaluate(network, data["genre"], architecture, labels)[0],
        "dev": evaluate(network, data["dev"], architecture, labels)[0],
    }
    (HERE / "evaluation.json").write_text(json.dumps(report, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    for part in ("dev", "test", "other_genre"):
        print(part, {key: value for key, value in report[part].items() if key not in ("by_class", "confusions")})


if __name__ == "__main__":
    main()
