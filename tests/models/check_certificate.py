#!/usr/bin/env python3
"""A shipped model is verified against its checkpoint and its recorded numbers; the certificate that comes of it fits its
schema, and holds for the model and for nothing else.

usage: check_certificate.py BYTECNN SCHEMA MODEL_FOLDER
"""
import json
import pathlib
import subprocess
import sys
import tempfile

try:
    import jsonschema
except ImportError:  # the rest is tested all the same
    jsonschema = None

program, schema_file, folder = sys.argv[1], pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3])
stem = folder / folder.name


def run(status, *arguments):
    done = subprocess.run([program, *map(str, arguments)], capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == status, f"{arguments}: status {done.returncode}\n{done.stdout}{done.stderr}"
    return done.stdout


def certify(status, model, certificate, *more):
    return run(status, "verify", f"{stem}.pth", model, "--architecture", folder / "architecture.json", "--report",
               certificate, *more)


def fits_schema(certificate):
    if jsonschema is None:
        print("python3-jsonschema is not installed: the schema was not tried")
        return
    schema = json.loads(schema_file.read_text(encoding="utf-8"))
    jsonschema.Draft7Validator.check_schema(schema)
    validator = jsonschema.Draft7Validator(schema)
    error = jsonschema.exceptions.best_match(validator.iter_errors(certificate))
    assert error is None, f"/{'/'.join(map(str, error.path))}: {error.message[:300]}"
    for key in certificate:
        assert not validator.is_valid({other: value for other, value in certificate.items() if other != key}), key
        assert not validator.is_valid({**certificate, key: {"": None}}), key


with tempfile.TemporaryDirectory() as scratch:
    certificate = pathlib.Path(scratch) / "certificate.json"
    text = certify(0, f"{stem}.json", certificate, "--reference", folder / "reference.json")
    assert "PASS" in text, text
    content = json.loads(certificate.read_text(encoding="utf-8"))
    fits_schema(content)
    assert content["passed"] and len(content["cases"]) >= 5 and content["report"]["structure_checked"]
    run(0, "check", f"{stem}.json", "--certificate", certificate)

    # One weight of a filter in the middle, off by a thousandth.
    model = json.loads(pathlib.Path(f"{stem}.json").read_text(encoding="utf-8"))
    model["weights"]["conv2_weight"][7][3][1] *= 1.001
    wrong = pathlib.Path(scratch) / "wrong.json"
    wrong.write_text(json.dumps(model), encoding="utf-8")
    assert "conv2_weight[7] holds other numbers" in run(1, "check", wrong, "--certificate", certificate)

    failed = pathlib.Path(scratch) / "failed.json"
    text = certify(1, wrong, failed, "--samples", "0")
    assert "conv2_weight[7][3][1]" in text, text
    content = json.loads(failed.read_text(encoding="utf-8"))
    fits_schema(content)
    assert not content["passed"]
    assert "failed: weights" in run(1, "check", wrong, "--certificate", failed)
