"""What the tests of the command line share: running the program, and small models whose logits plain Python computes."""
import json
import math
import os
import pathlib
import subprocess
import tempfile
import unittest

PROGRAM = os.environ["BYTECNN_PROGRAM"]
# Tests decide about these themselves.
CLEAN_ENVIRONMENT = {
    key: value for key, value in os.environ.items() if key not in ("BYTECNN_FORCE_ISA", "NO_COLOR", "TERM")
}


def bytecnn(*arguments, stdin=b"", env=None):
    """Runs the program to its end: a CompletedProcess with bytes for stdout and stderr."""
    return subprocess.run([PROGRAM, *map(str, arguments)], input=stdin, capture_output=True, timeout=120,
                          env={**CLEAN_ENVIRONMENT, **(env or {})}, check=False)


def weights(*shape, seed):
    """Nested lists of numbers that a float holds exactly, not symmetric in any way."""
    if len(shape) == 1:
        return [((seed + 37 * i + 11 * i * i) % 61 - 30) / 32 for i in range(shape[0])]
    return [weights(*shape[1:], seed=seed + 17 * (i + 1)) for i in range(shape[0])]


def tiny_model(outputs=1, output="sigmoid", labels=None, threshold=None, max_len=16, pad_token=0, bias=None):
    """A model of one convolution: embedding 3, conv 3 -> 4 of kernel 3 with `same` padding, avg_max, dense 5."""
    info = {"name": "tiny", "version": "1.2.3", "parameters": 1000, "accuracy": 0.875,
            "exported": "2026-01-02T03:04:05Z", "source": {"file": "tiny.pth", "sha256": "ab" * 32, "form": "state_dict"},
            "assumed": {"pooling": "default", "max_len": "stated"}}
    if labels is not None:
        info["labels"] = labels
    if threshold is not None:
        info["threshold"] = threshold
    return {
        "format": "bytecnn", "format_version": 1, "model_info": info,
        "architecture": {
            "vocab_size": 256, "embed_dim": 3,
            "conv_layers": [{"filters": 4, "kernel_size": 3, "stride": 1, "dilation": 1, "groups": 1, "padding": [1, 1],
                             "activation": "relu", "batch_norm": None}],
            "pooling": "avg_max", "dense_layers": [{"units": 5, "activation": "relu"}], "output": output,
            "max_len": max_len, "pad_token": pad_token},
        "weights": {
            "embedding": weights(256, 3, seed=1), "conv1_weight": weights(4, 3, 3, seed=2),
            "conv1_bias": weights(4, seed=3), "classifier_weight": weights(5, 4, seed=4),
            "classifier_bias": weights(5, seed=5), "output_weight": weights(outputs, 5, seed=6),
            "output_bias": bias or weights(outputs, seed=7)},
    }


def logits_of(model, data):
    """The specification once more, for `tiny_model` alone."""
    architecture, w = model["architecture"], model["weights"]
    tokens = list(data[: architecture["max_len"]])
    if architecture["pad_token"] is not None:
        tokens += [architecture["pad_token"]] * (architecture["max_len"] - len(tokens))
    columns = [[0.0] * 3] + [w["embedding"][token] for token in tokens] + [[0.0] * 3]
    pooled = []
    for kernel, bias in zip(w["conv1_weight"], w["conv1_bias"]):
        values = []
        for position in range(len(tokens)):
            total = bias
            for channel in range(3):
                for tap in range(3):
                    total += kernel[channel][tap] * columns[position + tap][channel]
            values.append(max(0.0, total))
        pooled.append((sum(values) / len(values) + max(values)) / 2)
    hidden = [max(0.0, bias + sum(a * b for a, b in zip(row, pooled)))
              for row, bias in zip(w["classifier_weight"], w["classifier_bias"])]
    return [bias + sum(a * b for a, b in zip(row, hidden)) for row, bias in zip(w["output_weight"], w["output_bias"])]


def scores_of(model, logits):
    if model["architecture"]["output"] == "softmax":
        exponentials = [math.exp(logit - max(logits)) for logit in logits]
        return [value / sum(exponentials) for value in exponentials]
    return [1 / (1 + math.exp(-logit)) for logit in logits]


class ProgramTest(unittest.TestCase):
    """A test with a folder of its own."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def write(self, name, content):
        path = self.folder / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def save(self, model, name="model.json"):
        return self.write(name, json.dumps(model))

    def classify(self, *arguments, stdin=b"", status=0, env=None):
        """The lines of `bytecnn classify`, which must end with `status`."""
        done = bytecnn("classify", *arguments, stdin=stdin, env=env)
        self.assertEqual(done.returncode, status, done.stderr.decode(errors="replace"))
        lines = done.stdout.decode(errors="surrogateescape").split("\n")
        self.assertEqual(lines.pop(), "", "the output ends with a newline")
        return lines

    def classify_json(self, *arguments, stdin=b"", status=0, env=None):
        """Its JSON Lines records."""
        return [json.loads(line)
                for line in self.classify(*arguments, "--output", "jsonl", stdin=stdin, status=status, env=env)]

    def assert_close(self, found, expected, tolerance=1e-5):
        self.assertEqual(len(found), len(expected))
        scale = max([1.0, *map(abs, expected)])
        for a, b in zip(found, expected):
            self.assertLessEqual(abs(a - b), tolerance * scale, f"{found} instead of {expected}")

    def assert_error(self, done, status, *words):
        """The program refused: nothing on stdout, one message with all `words` on stderr."""
        message = done.stderr.decode(errors="replace")
        self.assertEqual(done.returncode, status, message)
        self.assertEqual(done.stdout, b"")
        self.assertTrue(message.startswith("bytecnn: error: "), message)
        for word in words:
            self.assertIn(word, message)


class StreamTest(ProgramTest):
    """A test that talks with a running `bytecnn classify`; its model is `self.path`."""

    def setUp(self):
        super().setUp()
        self.path = self.save(tiny_model())

    def start(self, *arguments, **options):
        process = subprocess.Popen([PROGRAM, "classify", str(self.path), *arguments],
                                   **{"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "env": CLEAN_ENVIRONMENT,
                                      **options})
        self.addCleanup(self.end, process)
        return process

    @staticmethod
    def end(process):
        process.kill()
        for stream in (process.stdin, process.stdout, process.stderr):
            if stream:
                try:
                    stream.close()
                except BrokenPipeError:
                    pass
        process.wait()
