#!/usr/bin/env python3
"""Holds model files against the JSON Schema of the format, and the schema against files that are no models.

usage: check_model_schema.py SCHEMA FOLDER
Exit status 77 (skipped) where python3-jsonschema is missing.
"""

import copy
import json
import pathlib
import sys

try:
    import jsonschema
except ImportError:
    print("skipped: python3-jsonschema is not installed")
    sys.exit(77)

REMOVED = object()

# What the loader refuses and a schema can see: (path, what stands there instead).
SPOILED = [
    (["weights"], REMOVED),
    (["format"], "onnx"),
    (["format_version"], 2),
    (["architecture", "attention"], True),
    (["architecture", "pooling"], "median"),
    (["architecture", "output"], None),
    (["architecture", "max_len"], 0),
    (["architecture", "vocab_size"], 255),
    (["architecture", "pad_token"], -1),
    (["architecture", "conv_layers"], []),
    (["architecture", "conv_layers", 0, "stride"], 0),
    (["architecture", "conv_layers", 0, "padding"], "full"),
    (["architecture", "conv_layers", 0, "padding"], [1]),
    (["architecture", "conv_layers", 0, "activation"], "swish"),
    (["architecture", "conv_layers", 0, "bias"], True),
    (["architecture", "conv_layers", 0, "batch_norm"], True),
    (["architecture", "dense_layers", 0, "units"], 1.5),
    (["model_info"], []),
    (["model_info", "name"], 3),
    (["model_info", "labels"], ["same", "same", "other"]),
    (["model_info", "accuracy"], "high"),
    (["weights", "embedding"], REMOVED),
    (["weights", "conv1_weight"], REMOVED),
    (["weights", "output_bias"], REMOVED),
    (["weights", "embedding"], [1.0, 2.0]),
    (["weights", "embedding", 3, 0], "1.0"),
    (["weights", "conv1_weight", 0], [1.0]),
    (["weights", "conv1_bias"], []),
    (["weights", "conv2_scale"], [[1.0]]),
    (["weights", "attention_weight"], [1.0]),
    (["golden", 0, "input_hex"], "4"),
    (["golden", 0, "input_hex"], "zz"),
    (["golden", 0, "logits"], REMOVED),
    (["frequent_windows"], "746865"),
    (["frequent_windows", "tokens"], REMOVED),
    (["frequent_windows", "tokens"], "74686"),
    (["frequent_windows", "tokens"], "7468xx"),
    (["frequent_windows", "sample"], 3),
]

# What the loader takes, though the writer would write it otherwise.
EQUIVALENT = [
    (["format_version"], REMOVED),
    (["architecture"], REMOVED),
    (["architecture", "conv_layers", 0, "padding"], "same"),
    (["architecture", "conv_layers", 0, "padding"], 1),
    (["architecture", "conv_layers", 0, "stride"], REMOVED),
    (["architecture", "conv_layers", 0, "batch_norm"], None),
    (["architecture", "outputs"], 3),
    (["architecture", "pad_token"], None),
    (["model_info"], REMOVED),
    (["model_info", "anything"], {"kept": True}),
    (["anything"], [1, 2, 3]),
    (["golden"], REMOVED),
    (["frequent_windows"], REMOVED),
    (["frequent_windows", "sample"], None),
]


def changed(document, path, value):
    document = copy.deepcopy(document)
    place = document
    for step in path[:-1]:
        place = place[step]
    if value is REMOVED:
        del place[path[-1]]
    else:
        place[path[-1]] = value
    return document


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    schema = json.loads(pathlib.Path(sys.argv[1]).read_text(encoding="utf-8"))
    jsonschema.Draft7Validator.check_schema(schema)
    validator = jsonschema.Draft7Validator(schema)
    files = sorted(pathlib.Path(sys.argv[2]).glob("*.json"))
    failures = [] if len(files) > 10 else [f"only {len(files)} model files in {sys.argv[2]}"]
    for file in files:
        error = jsonschema.exceptions.best_match(validator.iter_errors(json.loads(file.read_text(encoding="utf-8"))))
        if error is not None:
            failures.append(f"{file.name}: /{'/'.join(map(str, error.path))}: {error.message[:200]}")
    rich = json.loads((pathlib.Path(sys.argv[2]) / "rich.json").read_text(encoding="utf-8"))
    for path, value in SPOILED:
        if validator.is_valid(changed(rich, path, value)):
            failures.append(f"the schema takes a model with {path} spoiled")
    for path, value in EQUIVALENT:
        if not validator.is_valid(changed(rich, path, value)):
            failures.append(f"the schema refuses a model with another {path}")
    print("\n".join(failures) or f"{len(files)} model files fit the schema, {len(SPOILED)} spoiled ones do not")
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
