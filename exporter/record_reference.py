"""Records what a PyTorch module computes, so that `bytecnn verify --reference FILE` can hold an export against it.

A state dict does not say how the model pools, in which order batch norm and activation stand, or how inputs are padded.
Recorded numbers do: they prove the structure that was assumed, which weights alone cannot, and
`bytecnn export CHECKPOINT --reference FILE --search` finds the structure that they fit.

As a module, beside the code that defines the model:

    from record_reference import record
    record(model, "reference.json", max_len=512, pad_token=0)

or from the command line, for TorchScript files and for anything that can be imported:

    python record_reference.py model.pt reference.json --max-len 512
    python record_reference.py my_package.my_module:make_model reference.json --weights model.pth --max-len 512

`model` takes a [1, length] tensor of byte values (int64) and returns the logits [1, outputs], before any sigmoid or
softmax. Where it returns probabilities, record with `logits_of=torch.logit` (sigmoid) or `logits_of=torch.log`
(softmax: logits up to a constant; export the module without its softmax instead). Everything runs in float64 unless
--dtype says otherwise; the model given is converted and put back as it was.
"""
import argparse
import importlib
import json
import random

import torch


def default_inputs(max_len, seed=1):
    """Edges and chance: empty, short, every byte, the lengths round max_len, text, random bytes."""
    rng = random.Random(seed)
    inputs = [b"", b"a", b"Hello", b"The quick brown fox jumps over the lazy dog.", bytes(range(256)), b"\0" * 7,
              b"\xff\xfe\xc3(", "Übergröße 漢字".encode()]
    inputs += [bytes((i * 37 + i // 7 * 11) & 255 for i in range(n))
               for n in range(max(1, max_len - 3), max_len + 3)]
    inputs += [bytes(rng.randrange(256) for _ in range(rng.randrange(1, max_len + 1))) for _ in range(16)]
    inputs += [bytes(rng.randrange(32, 127) for _ in range(rng.randrange(1, max_len + 1))) for _ in range(16)]
    return inputs


def tokens(data, max_len, pad_token):
    """One input as the model gets it: cut to max_len, padded to it unless pad_token is None."""
    values = list(data[:max_len])
    if pad_token is not None:
        values += [pad_token] * (max_len - len(values))
    return torch.tensor([values], dtype=torch.long)


def record(model, path, max_len, pad_token=0, inputs=None, dtype=torch.float64, logits_of=None):
    """Runs `model` on `inputs` (an iterable of bytes; default_inputs without one) and writes `path`.

    Inputs that the model refuses (too short for a model that does not pad) are left out. Returns how many were written.
    """
    training = model.training
    before = {name: value.dtype for name, value in model.state_dict().items()}
    model.eval().to(dtype)
    records = []
    try:
        with torch.no_grad():
            for data in default_inputs(max_len) if inputs is None else inputs:
                try:
                    out = model(tokens(data, max_len, pad_token))
                except (RuntimeError, IndexError):
                    if pad_token is not None:
                        raise
                    continue
                out = out if logits_of is None else logits_of(out)
                records.append({"input_hex": data.hex(), "logits": out.double().flatten().tolist()})
    finally:
        model.train(training)
        kinds = {kind for kind in before.values() if kind.is_floating_point}
        if len(kinds) == 1:
            model.to(kinds.pop())
    with open(path, "w", encoding="utf-8") as file:
        json.dump({"format": "bytecnn-reference", "dtype": str(dtype).replace("torch.", ""),
                   "torch": torch.__version__, "max_len": max_len, "pad_token": pad_token, "inputs": records}, file)
        file.write("\n")
    return len(records)


def load(source, weights):
    """A TorchScript file, or PACKAGE.MODULE:FUNCTION that makes the model, with a state dict to load into it."""
    if ":" in source:
        module, name = source.split(":", 1)
        model = getattr(importlib.import_module(module), name)()
    else:
        model = torch.jit.load(source, map_location="cpu")
    if weights:
        state = torch.load(weights, map_location="cpu")
        for key in ("state_dict", "model_state_dict", "model"):
            if isinstance(state, dict) and isinstance(state.get(key), dict):
                state = state[key]
        model.load_state_dict(state)
    return model


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", help="a TorchScript file, or PACKAGE.MODULE:FUNCTION")
    parser.add_argument("output", help="the JSON file to write")
    parser.add_argument("--weights", help="a state dict to load into the model that FUNCTION made")
    parser.add_argument("--max-len", type=int, required=True)
    parser.add_argument("--pad-token", default="0", help="a number, or none (default: 0)")
    parser.add_argument("--dtype", choices=["float64", "float32"], default="float64")
    parser.add_argument("--probabilities", choices=["sigmoid"], help="the model ends in a sigmoid: take its inverse")
    parser.add_argument("--corpus", help="inputs of your own beside the default ones, one a line")
    args = parser.parse_args()
    inputs = default_inputs(args.max_len)
    if args.corpus:
        with open(args.corpus, "rb") as file:
            inputs += [line.rstrip(b"\n") for line in file]
    pad_token = None if args.pad_token == "none" else int(args.pad_token)
    count = record(load(args.model, args.weights), args.output, args.max_len, pad_token, inputs,
                   getattr(torch, args.dtype), torch.logit if args.probabilities else None)
    print(f"{args.output}: {count} inputs")


if __name__ == "__main__":
    main()
