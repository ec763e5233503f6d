"""`bytecnn tune` states frequent windows in a model file: no result changes, and what it writes can be read and undone."""
import json
import unittest

from program import ProgramTest, bytecnn, tiny_model, weights


def two_layers(**arguments):
    """`tiny_model` with a second convolution, so that batches look windows up."""
    model = tiny_model(**arguments)
    layer = {**model["architecture"]["conv_layers"][0]}
    model["architecture"]["conv_layers"].append(layer)
    model["weights"].update(conv2_weight=weights(4, 4, 3, seed=8), conv2_bias=weights(4, seed=9))
    return model


class Tune(ProgramTest):
    def setUp(self):
        super().setUp()
        self.path = self.save(two_layers())
        self.tuned = self.folder / "tuned.json"

    def tune(self, *arguments, stdin=b"", status=0):
        done = bytecnn("tune", self.path, "--output", self.tuned, *arguments, stdin=stdin)
        self.assertEqual(done.returncode, status, done.stderr)
        self.assertEqual(done.stdout, b"")
        return done.stderr.decode()

    def windows(self):
        return json.loads(self.tuned.read_text())["frequent_windows"]

    def test_it_states_the_most_frequent_windows_of_the_sample(self):
        told = self.tune("--windows", "3", stdin=b"ababab\nabab\n")
        # aba and bab thrice; outside-ab, ab0 and b00 twice. Of equally frequent ones the lowest last byte stands first.
        self.assertEqual(self.windows(), {"sample": "2 texts, 10 bytes", "tokens": "616261" + "626162" + "620000"})
        self.assertIn("3 windows cover 66.7 % of 12 in 2 texts", told)

    def test_no_result_changes_and_everything_else_is_kept(self):
        text = b"\n".join(b"the quick brown fox %d jumps over the lazy dog" % i for i in range(400)) + b"\n"
        self.tune("-q", stdin=text)
        outputs = {bytecnn("classify", model, "--output", "jsonl", stdin=text).stdout for model in (self.path, self.tuned)}
        self.assertEqual(len(outputs), 1)
        before, after = (json.loads(path.read_text()) for path in (self.path, self.tuned))
        for key in ("architecture", "weights"):
            self.assertEqual(before[key], after[key])
        self.assertEqual(self.tune("--remove"), "")
        self.assertNotIn("frequent_windows", json.loads(self.tuned.read_text()))

    def test_a_sample_may_come_in_every_form_that_classify_reads(self):
        (self.folder / "a.txt").write_bytes(b"abcabc")
        (self.folder / "b.txt").write_bytes(b"abcabc")
        self.tune(self.folder / "a.txt", self.folder / "b.txt")
        whole = self.windows()
        self.assertEqual(whole["sample"], "a.txt, b.txt: 2 texts, 12 bytes")
        for arguments, stdin in (((), b"abcabc\nabcabc\n"),
                                 (("--text", "abcabc", "--text", "abcabc"), b""),
                                 (("--input", "nul"), b"abcabc\0abcabc\0"),
                                 (("--input", "jsonl", "--field", "/a/b"), b'{"a": {"b": "abcabc"}}\n' * 2)):
            self.tune(*arguments, stdin=stdin)
            self.assertEqual(self.windows()["tokens"], whole["tokens"], arguments)

    def test_of_a_long_text_all_is_counted(self):
        told = self.tune(stdin=b"x" * 1000 + b"\n")  # max_len is 16
        self.assertIn("in 1 text\n", told)
        self.assertEqual(self.windows()["sample"], "1 text, 1,000 bytes")
        self.assertTrue(self.windows()["tokens"].startswith("787878"))

    def test_info_shows_them(self):
        self.assertNotIn(b"frequent windows", bytecnn("info", self.path).stdout)
        self.tune("--text", "abc")
        self.assertRegex(bytecnn("info", self.tuned).stdout.decode(), r"frequent windows +4, counted in 1 text, 3 bytes")
        found = json.loads(bytecnn("info", self.tuned, "--json").stdout)
        self.assertEqual(found["frequent_windows"], {"count": 4, "sample": "1 text, 3 bytes"})

    def test_inputs_that_cannot_be_read_are_told_and_the_rest_is_counted(self):
        (self.folder / "a.txt").write_bytes(b"abcabc")
        told = self.tune(self.folder / "missing.txt", self.folder / "a.txt", status=1)
        self.assertIn("missing.txt", told)
        self.assertIn("1 text", self.windows()["sample"])

    def test_what_cannot_be_tuned_is_refused_and_nothing_is_written(self):
        one_layer = self.save(tiny_model(), "one.json")
        done = bytecnn("tune", one_layer, "--output", self.tuned, "--text", "abc")
        self.assertEqual(done.returncode, 4)
        self.assertIn(b"look up no windows", done.stderr)
        self.assertEqual(bytecnn("tune", self.path, "--output", self.tuned, stdin=b"").returncode, 3)
        self.assertEqual(bytecnn("tune", self.path, "--text", "abc").returncode, 2, "no --output")
        self.assertEqual(bytecnn("tune", self.path, "--output", self.tuned, "--windows", "0").returncode, 2)
        self.assertFalse(self.tuned.exists())


if __name__ == "__main__":
    unittest.main()
