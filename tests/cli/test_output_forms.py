"""What is written for each input, in every form, and that bad records keep their line."""
import json
import struct
import unittest

from program import ProgramTest, bytecnn, tiny_model

LABELS = ["safe", "tox\tic"]
LINES = b"hello\n\nworld of words\n"


class Forms(ProgramTest):
    def setUp(self):
        super().setUp()
        self.path = self.save(tiny_model(labels=LABELS))
        self.records = self.classify_json(self.path, stdin=LINES)

    def test_json_keys_and_their_order(self):
        lines = self.classify(self.path, "--output", "jsonl", stdin=LINES)
        for line in lines:
            self.assertEqual(list(json.loads(line)), ["id", "label", "score", "scores", "logits"])
        multi = self.save(tiny_model(outputs=3), "multi.json")
        self.assertEqual(list(self.classify_json(multi, "--text", "x")[0]),
                         ["id", "label", "labels", "score", "scores", "logits"])

    def test_floats_are_the_shortest_that_read_back(self):
        for line in self.classify(self.path, "--output", "jsonl", stdin=LINES):
            for text in line.split('"logits":[')[1].rstrip("]}").split(","):
                single = struct.unpack("f", struct.pack("f", float(text)))[0]
                for digits in range(1, 9):  # no shorter decimal gives the same float
                    shorter = f"{single:.{digits}g}"
                    if struct.unpack("f", struct.pack("f", float(shorter)))[0] == single:
                        break
                self.assertEqual(len(shorter.strip("-").replace(".", "").lstrip("0").split("e")[0]),
                                 len(text.strip("-").replace(".", "").lstrip("0").split("e")[0]), f"{text} {shorter}")

    def test_tsv_is_id_label_score(self):
        lines = self.classify(self.path, "--output", "tsv", stdin=LINES)
        cells = [line.split("\t") for line in lines]
        self.assertEqual([cell[0] for cell in cells], ["1", "2", "3"])
        self.assertEqual([cell[1] for cell in cells], [r["label"].replace("\t", "\\t") for r in self.records])
        self.assertEqual([float(cell[2]) for cell in cells], [r["score"] for r in self.records])

    def test_score_and_label_alone(self):
        scores = self.classify(self.path, "--output", "score", stdin=LINES)
        self.assertEqual([float(score) for score in scores], [r["score"] for r in self.records])
        labels = self.classify(self.path, "--output", "label", stdin=LINES)
        self.assertEqual(labels, [r["label"].replace("\t", "\\t") for r in self.records])

    def test_text_shows_label_score_and_the_input(self):
        lines = self.classify(self.path, "--output", "text", stdin=LINES)
        self.assertEqual(lines, self.classify(self.path, stdin=LINES), "text is what is written unless told otherwise")
        for line, record, text in zip(lines, self.records, LINES.decode().split("\n")):
            self.assertIn(f"{record['score']:.4f}", line)
            self.assertTrue(line.rstrip().endswith(text or f"{record['score']:.4f}"), line)

    def test_text_names_files_instead_of_showing_them(self):
        file = self.write("some file", "secret content")
        line = self.classify(self.path, file)[0]
        self.assertTrue(line.endswith(str(file)), line)
        self.assertNotIn("secret", line)

    def test_text_cannot_harm_a_terminal(self):
        hostile = "\x1b]0;title\x07 \u202egnp.exe \x9b31m \x7f".encode() + b"\xff\xc3\n"
        done = bytecnn("classify", self.path, stdin=hostile)
        text = done.stdout.decode()  # valid UTF-8 whatever came in
        self.assertEqual(text.count("\n"), 1)
        for character in text.rstrip("\n"):
            self.assertFalse(ord(character) < 0x20 or 0x7F <= ord(character) < 0xA0 or character == "\u202e", repr(text))

    def test_a_long_text_is_cut_with_an_ellipsis(self):
        line = self.classify(self.path, stdin=b"w" * 5000 + b"\n")[0]
        # No more than max_len bytes are read, so a model that sees much is needed.
        wide = self.save(tiny_model(max_len=4096), "wide.json")
        line = self.classify(wide, stdin="日本語".encode() * 500 + b"\n")[0]
        self.assertTrue(line.endswith("…"), line)
        self.assertLessEqual(len(line), 100)

    def test_a_record_that_fails_keeps_its_line_in_every_form(self):
        good = self.write("good", "good")
        missing = self.folder / "missing"
        for form in ("text", "tsv", "jsonl", "score", "label"):
            done = bytecnn("classify", self.path, good, missing, good, "--output", form)
            self.assertEqual(done.returncode, 1)
            lines = done.stdout.decode().split("\n")
            self.assertEqual(len(lines), 4, form)
            self.assertEqual(lines[0], lines[2], form)
            self.assertNotEqual(lines[0], lines[1], form)
            told = done.stderr.decode() if form in ("score", "label") else lines[1]
            self.assertIn("No such file", told, form)
            self.assertIn("missing", told, form)

    def test_time_is_told_in_microseconds(self):
        for form, place in (("tsv", lambda line: float(line.split("\t")[3])),
                            ("jsonl", lambda line: json.loads(line)["microseconds"])):
            lines = self.classify(self.path, "--text", "x", "--text", "yy", "--time", "--output", form)
            self.assertEqual(len(lines), 2)
            for line in lines:
                self.assertGreater(place(line), 0)
                self.assertLess(place(line), 1e6)
        self.assertRegex(self.classify(self.path, "--text", "x", "--time")[0], r" [0-9]+\.[0-9]{2} us ")

    def test_colour_is_for_terminals_unless_asked_for(self):
        escape = b"\x1b["
        self.assertNotIn(escape, bytecnn("classify", self.path, "--text", "x").stdout)
        self.assertIn(escape, bytecnn("classify", self.path, "--text", "x", "--color", "always").stdout)
        self.assertIn(escape, bytecnn("info", self.path, "--color", "always", env={"NO_COLOR": "1"}).stdout,
                      "what is asked for on the command line wins over the environment")
        self.assertNotIn(escape, bytecnn("classify", self.path, "--text", "x", "--color", "never").stdout)


if __name__ == "__main__":
    unittest.main()
