#!/usr/bin/python3
"""Records what PyTorch computes, so that other engines can be held against it.

Writes reference.json into a model's folder: a list of {"input_hex": ..., "logits": [...]},
computed from the unfolded checkpoint in double precision and eval mode.  The inputs are the
edges of the format (no bytes, one byte, the lengths round max_len, bytes that are no UTF-8,
runs, random bytes) and the model's own examples.
"""

from __future__ import annotations

import argparse
import json
import random
from pathlib import Path

import torch

from network import ByteCNN, encode, read_model_folder


def edge_inputs(max_len: int) -> list[bytes]:
    draw = random.Random(1)
    sentence = "Ein kurzer Satz, dann noch einer: água, žluťoučký, 日本語, עברית. ".encode()
    around = [max_len - 2, max_len - 1, max_len, max_len + 1, max_len + 2, 2 * max_len]
    return [
        b"",
        *(bytes([value]) for value in (0x00, 0x20, 0x41, 0x7F, 0x80, 0xFF)),
        b"\0\0",
        b"a\0b",
        b"ab",
        b"Hello",
        b"\r\n\t ",
        *((sentence * (length // len(sentence) + 1))[:length] for length in around),
        *(bytes([value]) * max_len for value in (0x00, 0x65, 0xFF)),
        b"x" * 10000,
        b"\xc3\x28\xa0\xa1\xe2\x28\xa1\xf0\x28\x8c\xbc",
        b"\xed\xa0\x80\xf8\x88\x80\x80\x80\xfe\xff",
        bytes(range(256)),
        bytes(reversed(range(256))),
        *(draw.randbytes(length) for length in (3, 4, 5, 17, 64, max_len // 2, max_len, max_len + 77)),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path, help="a model's folder, such as models/language")
    arguments = parser.parse_args()

    torch.set_num_threads(1)
    architecture, labels = read_model_folder(arguments.model)
    network = ByteCNN(architecture, len(labels))
    network.load_state_dict(torch.load(arguments.model / f"{arguments.model.resolve().name}.pth"))
    network.double().eval()

    inputs = edge_inputs(architecture["max_len"])
    sentences = arguments.model / "examples" / "sentences.txt"
    if sentences.exists():
        inputs += sentences.read_bytes().splitlines()
    else:
        inputs += [file.read_bytes() for file in sorted((arguments.model / "examples" / "files").iterdir())]
    with torch.no_grad():
        logits = network(encode(inputs, architecture)).tolist()
    # One record a line: a difference shows which input it concerns.
    records = [json.dumps({"input_hex": data.hex(), "logits": row}) for data, row in zip(inputs, logits)]
    path = arguments.model / "reference.json"
    path.write_text("[\n" + ",\n".join(records) + "\n]\n", encoding="utf-8")
    print(f"{len(records)} inputs recorded in {path}")


if __name__ == "__main__":
    main()
