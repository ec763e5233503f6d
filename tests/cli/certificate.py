"""Certificates as `bytecnn verify --report` writes them, made once more from the description of the format."""
import hashlib
import json
import struct

from program import logits_of


def floats(numbers):
    """Nested lists as little-endian floats; a negative zero counts as zero."""
    if isinstance(numbers, list):
        return b"".join(map(floats, numbers))
    return struct.pack("<f", numbers + 0.0)


def shape_of(numbers):
    return [len(numbers), *shape_of(numbers[0])] if isinstance(numbers, list) else []


def array_fingerprint(name, numbers):
    return {"name": name, "shape": shape_of(numbers), "sha256": hashlib.sha256(floats(numbers)).hexdigest(),
            "rows": [hashlib.sha256(floats(row)).hexdigest()[:8] for row in numbers]}


def fingerprint(model):
    """Of a `tiny_model`."""
    architecture, weights = model["architecture"], model["weights"]
    pad_token = architecture["pad_token"]
    facts = {"vocab_size": "256", "embed_dim": "3", "max_len": str(architecture["max_len"]),
             "pad_token": "none" if pad_token is None else str(pad_token), "conv layers": "1", "conv1 filters": "4",
             "conv1 kernel_size": "3", "conv1 stride": "1", "conv1 dilation": "1", "conv1 groups": "1",
             "conv1 padding": "[1, 1]", "conv1 activation": "relu", "conv1 residual": "false",
             "conv1 batch norm after the activation": "false", "pooling": architecture["pooling"], "dense layers": "1",
             "dense layer 1 units": "5", "dense layer 1 activation": "relu",
             "outputs": str(len(weights["output_bias"])), "output": architecture["output"],
             "labels": json.dumps(model["model_info"].get("labels", []), separators=(",", ":")),
             "threshold": str(model["model_info"].get("threshold", "none"))}
    return {"facts": facts, "arrays": [array_fingerprint(name, numbers) for name, numbers in weights.items()]}


def sealed(certificate):
    """With the seal that fits the rest."""
    rest = {key: value for key, value in certificate.items() if key != "seal"}
    text = json.dumps(rest, separators=(",", ":"), ensure_ascii=False)
    return {**rest, "seal": hashlib.sha256(text.encode()).hexdigest()}


def stage(name, worst=1e-7, tolerance=1e-5, passed=True):
    return {"name": name, "passed": passed, "tolerance": tolerance, "worst": {"difference": worst}}


def certificate_of(model, model_bytes, instruction_sets, version, inputs):
    """What a verification of `model` on these instruction sets would have certified."""
    cases = [{"name": f"input {i}", "input": i, "reasons": ["chosen"], "input_hex": data.hex(),
              "logits": logits_of(model, data)} for i, data in enumerate(inputs)]
    scale = max(1.0, *(abs(logit) for case in cases for logit in case["logits"]))
    stages = [stage("weights"), stage("fold", tolerance=1e-6 * scale),
              *(stage(f"engine {name}", tolerance=1e-5 * scale) for name in instruction_sets)]
    return sealed({
        "format": "bytecnn-certificate", "format_version": 1, "passed": True, "verified": "2026-01-02T03:04:05Z",
        "software": {"bytecnn": version, "original_run_by": "libtorch", "compiler": "GCC", "processor": "some processor",
                     "system": "Linux"},
        "instruction_sets": list(instruction_sets),
        "checkpoint": {"file": "tiny.pth", "sha256": "ab" * 32, "form": "state_dict"},
        "model": {"file": "model.json", "sha256": hashlib.sha256(model_bytes).hexdigest(), "name": "tiny",
                  "version": "1.2.3", "parameters": 1000, "labels": [], "threshold": None,
                  "fingerprint": fingerprint(model)},
        "assumptions": [], "report": {"inputs": len(cases), "scale": scale, "stages": stages}, "cases": cases})
