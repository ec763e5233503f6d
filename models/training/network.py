"""The byte-level CNN in PyTorch, built from an architecture statement.

`architecture.json` is the one description of a model: the trainer builds the network
from it and the exporter reads it beside the checkpoint.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional


class ByteCNN(nn.Module):
    """embedding -> (conv, batch norm, relu) x N -> (average + maximum) / 2 -> dense, relu -> output.

    The modules are called embedding, conv1, bn1, conv2, bn2, ..., classifier, output.
    Takes token indices [batch, max_len] and returns logits [batch, classes].
    """

    def __init__(self, architecture: dict, classes: int) -> None:
        super().__init__()
        if architecture["pooling"] != "avg_max" or len(architecture["dense_layers"]) != 1:
            raise ValueError("this trainer knows avg_max pooling and one dense layer")
        channels = architecture["embed_dim"]
        self.embedding = nn.Embedding(architecture["vocab_size"], channels)
        nn.init.normal_(self.embedding.weight, 0.0, 0.5)
        self.depth = len(architecture["conv_layers"])
        for index, layer in enumerate(architecture["conv_layers"], start=1):
            left, right = layer["padding"]
            if left != right or layer["activation"] != "relu":
                raise ValueError("this trainer knows symmetric padding and relu")
            conv = nn.Conv1d(
                channels,
                layer["filters"],
                layer["kernel_size"],
                stride=layer["stride"],
                padding=left,
                dilation=layer["dilation"],
                groups=layer["groups"],
            )
            channels = layer["filters"]
            self.add_module(f"conv{index}", conv)
            self.add_module(f"bn{index}", nn.BatchNorm1d(channels, eps=layer["batch_norm"]["eps"]))
        units = architecture["dense_layers"][0]["units"]
        self.classifier = nn.Linear(channels, units)
        self.output = nn.Linear(units, classes)

    def forward(self, tokens: Tensor) -> Tensor:
        hidden = self.embedding(tokens).transpose(1, 2)
        for index in range(1, self.depth + 1):
            conv, norm = getattr(self, f"conv{index}"), getattr(self, f"bn{index}")
            hidden = functional.relu(norm(conv(hidden)))
        pooled = (hidden.mean(dim=2) + hidden.amax(dim=2)) * 0.5
        return self.output(functional.relu(self.classifier(pooled)))

    def learned(self) -> int:
        """The number of learned parameters (running statistics do not count)."""
        return sum(parameter.numel() for parameter in self.parameters())


def read_model_folder(folder: Path) -> tuple[dict, list[str]]:
    """Returns the architecture statement and the labels of a model's folder."""
    architecture = json.loads((folder / "architecture.json").read_text(encoding="utf-8"))
    return architecture, (folder / "labels.txt").read_text(encoding="utf-8").split()


def encode(texts: Sequence[bytes], architecture: dict) -> Tensor:
    """Truncates to max_len and pads with pad_token, as the runtime does."""
    length = architecture["max_len"]
    tokens = np.full((len(texts), length), architecture["pad_token"], dtype=np.int64)
    for row, text in enumerate(texts):
        text = text[:length]
        tokens[row, : len(text)] = np.frombuffer(text, dtype=np.uint8)
    return torch.from_numpy(tokens)
