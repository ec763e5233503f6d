"""Figures that say how good a classifier is on data it never saw."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

# A class with fewer samples than this in a subset does not enter that subset's macro average.
SMALLEST_CLASS = 20


def probabilities(network: nn.Module, tokens: Tensor, batch: int = 256) -> np.ndarray:
    """Softmax probabilities [samples, classes] in eval mode."""
    network.eval()
    with torch.no_grad():
        parts = [torch.softmax(network(part), dim=1) for part in tokens.split(batch)]
    network.train()
    return torch.cat(parts).numpy()


def macro_accuracy(predicted: np.ndarray, truth: np.ndarray, mask: np.ndarray | None = None) -> float | None:
    """The mean over classes of the share that was recognised; None if no class is large enough."""
    if mask is not None:
        predicted, truth = predicted[mask], truth[mask]
    shares = []
    for label in np.unique(truth):
        of_label = truth == label
        if of_label.sum() >= SMALLEST_CLASS:
            shares.append((predicted[of_label] == label).mean())
    return round(float(np.mean(shares)), 4) if shares else None


def calibration_error(probability: np.ndarray, truth: np.ndarray, bins: int = 15) -> float:
    """Expected calibration error: the mean gap between confidence and accuracy over equal bins."""
    confidence = probability.max(axis=1)
    right = probability.argmax(axis=1) == truth
    error = 0.0
    for low in np.arange(bins) / bins:
        inside = (confidence > low) & (confidence <= low + 1 / bins)
        if inside.any():
            error += inside.mean() * abs(right[inside].mean() - confidence[inside].mean())
    return round(float(error), 4)


def largest_confusions(
    predicted: np.ndarray, truth: np.ndarray, labels: list[str], count: int = 15
) -> list[dict]:
    """The pairs that are confused most, as shares of the true class."""
    classes = len(labels)
    table = np.bincount(truth * classes + predicted, minlength=classes * classes).reshape(classes, classes)
    shares = table / np.maximum(table.sum(axis=1, keepdims=True), 1)
    np.fill_diagonal(shares, 0.0)
    pairs = np.argsort(shares, axis=None)[::-1][:count]
    return [
        {
            "truth": labels[pair // classes],
            "predicted": labels[pair % classes],
            "share": round(float(shares.flat[pair]), 4),
        }
        for pair in pairs
        if shares.flat[pair] > 0
    ]


def summary(probability: np.ndarray, truth: np.ndarray, labels: list[str]) -> dict:
    """Every figure of one test set but those that need to know more than truth and prediction."""
    predicted, confidence = probability.argmax(axis=1), probability.max(axis=1)
    sure = confidence > 0.9
    return {
        "samples": len(truth),
        "macro_accuracy": macro_accuracy(predicted, truth),
        "accuracy": round(float((predicted == truth).mean()), 4),
        "calibration_error": calibration_error(probability, truth),
        "score_above_0.9": {
            "share": round(float(sure.mean()), 4),
            "accuracy": round(float((predicted == truth)[sure].mean()), 4),
        },
        "by_class": {
            label: {
                "samples": int((truth == index).sum()),
                "accuracy": round(float((predicted[truth == index] == index).mean()), 4),
            }
            for index, label in enumerate(labels)
            if (truth == index).any()
        },
        "confusions": largest_confusions(predicted, truth, labels),
    }
