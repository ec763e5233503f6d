"""Inputs longer than max_len: cut, or windows with half overlap whose logits are combined."""
import json
import math
import os
import resource
import subprocess
import unittest

from program import CLEAN_ENVIRONMENT, PROGRAM, ProgramTest, bytecnn, logits_of, tiny_model

LENGTH = 16


def windows(text):
    starts = list(range(0, len(text) - LENGTH + 1, LENGTH // 2))
    if starts[-1] + LENGTH < len(text):
        starts.append(len(text) - LENGTH)
    return [text[start:start + LENGTH] for start in starts]


def combined(model, text, strategy):
    columns = list(zip(*(logits_of(model, window) for window in windows(text))))
    if strategy == "average":
        return [sum(column) / len(column) for column in columns]
    if strategy == "max":
        return [max(column) for column in columns]
    result = []
    for column in columns:
        weights = [math.exp(logit - max(column)) for logit in column]
        result.append(sum(w * logit for w, logit in zip(weights, column)) / sum(weights))
    return result


class Strategies(ProgramTest):
    def setUp(self):
        super().setUp()
        self.model = tiny_model(outputs=3, output="softmax", max_len=LENGTH)
        self.path = self.save(self.model)

    def logits(self, text, strategy):
        return self.classify_json(self.path, self.write("text", text), "--strategy", strategy)[0]["logits"]

    def test_short_inputs_are_the_same_under_every_strategy(self):
        for text in (b"", b"short", b"exactly sixteen."):
            for strategy in ("truncate", "average", "max", "attention"):
                self.assert_close(self.logits(text, strategy), logits_of(self.model, text))

    def test_truncate_sees_the_beginning_alone(self):
        text = b"the beginning of a text that goes on"
        self.assert_close(self.logits(text, "truncate"), logits_of(self.model, text[:LENGTH]))

    def test_windows_reach_the_end_and_are_combined(self):
        base = bytes(range(32, 127)) * 400
        for length in (17, 23, 24, 25, 31, 32, 33, 40, 41, 100, 30000):
            for strategy in ("average", "max", "attention"):
                expected = combined(self.model, base[:length], strategy)
                self.assert_close(self.logits(base[:length], strategy), expected)

    def test_strategies_differ(self):
        text = bytes(range(32, 100))
        self.assertEqual(len({tuple(self.logits(text, s)) for s in ("truncate", "average", "max", "attention")}), 4)

    def test_the_label_follows_from_the_combined_logits(self):
        record = self.classify_json(self.path, "--text", "a text that is longer than a window", "--strategy", "max")[0]
        best = max(range(3), key=lambda i: record["logits"][i])
        self.assertEqual(record["label"], str(best))
        self.assertAlmostEqual(sum(record["scores"]), 1, places=5)
        self.assertEqual(record["score"], record["scores"][best])

    def test_long_and_short_lines_may_mix(self):
        lines = [b"short", b"a line that is longer than a window", b"", b"x" * 100]
        records = self.classify_json(self.path, "--strategy", "average", stdin=b"\n".join(lines))
        for record, line in zip(records, lines):
            expected = combined(self.model, line, "average") if len(line) > LENGTH else logits_of(self.model, line)
            self.assert_close(record["logits"], expected)

    def test_a_long_file_is_read_while_it_is_classified(self):
        # A period of a window's step: there is one whole window, and the last one.
        for size in (2**20 - 1, 2**20, 2**20 + 1, 2**21 + 5):
            text = (b"abcdefgh" * (size // 8 + 1))[:size]
            kinds = [logits_of(self.model, window) for window in (text[:LENGTH], text[-LENGTH:])]
            self.assert_close(self.logits(text, "max"), [max(column) for column in zip(*kinds)])

    def test_memory_does_not_grow_with_a_file(self):
        model = tiny_model(max_len=512)
        path = self.folder / "long"
        with path.open("wb") as file:
            file.truncate(300 * 2**20)  # more than a line may have; zeros that take no room on the disk
        run = subprocess.Popen([PROGRAM, "classify", self.save(model), path, "--strategy", "average", "--output", "jsonl"],
                               stdout=subprocess.PIPE, env=CLEAN_ENVIRONMENT)
        with run.stdout as lines:
            record = json.loads(lines.read())
        _, status, usage = os.wait4(run.pid, 0)
        run.returncode = os.waitstatus_to_exitcode(status)
        self.assert_close(record["logits"], logits_of(model, bytes(512)))
        own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # what a child of this Python begins with
        if "ASAN_OPTIONS" not in os.environ:
            self.assertLess(usage.ru_maxrss, 48 * 1024 + own, "kilobytes")

    def test_windows_of_one_byte(self):
        model = tiny_model(max_len=1)
        record = self.classify_json(self.save(model), "--text", "abc", "--strategy", "max")[0]
        self.assert_close(record["logits"], [max(logits_of(model, letter)[0] for letter in (b"a", b"b", b"c"))])

    def test_an_unknown_strategy_is_a_usage_error(self):
        self.assert_error(bytecnn("classify", self.path, "--strategy", "median"), 2, "median", "attention")


if __name__ == "__main__":
    unittest.main()
