"""The examples of a shipped model get the labels that its card promises.

usage: check_examples.py BYTECNN MODEL_FOLDER
"""
import json
import pathlib
import subprocess
import sys


def main() -> int:
    bytecnn, folder = sys.argv[1], pathlib.Path(sys.argv[2])
    rows = [line.rsplit("\t", 1) for line in (folder / "examples/expected.tsv").read_text("utf-8").splitlines()]
    files = folder / "examples/files"
    inputs = [str(files / name) for name, _ in rows] if files.is_dir() else [str(folder / "examples/sentences.txt")]
    how = "whole" if files.is_dir() else "lines"
    command = [bytecnn, "classify", str(folder / (folder.name + ".json")), *inputs, "--input", how, "--output", "jsonl"]
    results = [json.loads(line) for line in subprocess.run(command, check=True, capture_output=True).stdout.splitlines()]
    wrong = [f"{name}: {got['label']} instead of {want}" for (name, want), got in zip(rows, results) if got["label"] != want]
    print("\n".join(wrong) or f"{len(rows)} examples have the expected label")
    return 1 if wrong or len(results) != len(rows) or not rows else 0


if __name__ == "__main__":
    sys.exit(main())
