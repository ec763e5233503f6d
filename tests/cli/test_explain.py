"""`bytecnn explain`: contributions that add up, colours by the terminal's means, a page that needs nothing else."""
import html.parser
import json
import re
import unittest

from program import ProgramTest, bytecnn, logits_of, tiny_model

TEXT = "wörds and\tsome\nlines".encode()
ESCAPES = re.compile(r"\x1b\[[0-9;]*m")


class Page(html.parser.HTMLParser):
    def __init__(self, page):
        super().__init__()
        self.open, self.outside, self.text = [], [], ""
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        if tag not in ("meta", "br"):
            self.open.append(tag)
        self.outside += [value for key, value in attributes if key in ("src", "href")] + [tag] * (tag in ("script", "link"))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag, tag

    def handle_data(self, data):
        if "pre" in self.open:
            self.text += data


class Explain(ProgramTest):
    def setUp(self):
        super().setUp()
        self.model = tiny_model(outputs=3, output="softmax", labels=["red", "green", "blue"], max_len=32)
        self.path = self.save(self.model)

    def explain(self, *arguments, model=None, stdin=b"", env=None):
        done = bytecnn("explain", model or self.path, *arguments, stdin=stdin, env=env)
        self.assertEqual((done.returncode, done.stderr), (0, b""))
        return done.stdout.decode()

    def json(self, *arguments, **options):
        return json.loads(self.explain("--json", *arguments, **options))

    def test_contributions_add_up_to_the_logit(self):
        logits = logits_of(self.model, TEXT)
        empty = logits_of(self.model, b"")
        for index, label in enumerate(("red", "green", "blue")):
            found = self.json(self.write("text", TEXT), "--label", label)
            self.assertEqual(len(found["contributions"]), len(TEXT))
            self.assert_close([found["logit"], found["baseline"]], [logits[index], empty[index]], 1e-9)
            self.assert_close([found["baseline"] + sum(found["contributions"])], [found["logit"]], 1e-9)

    def test_the_decided_label_is_explained_unless_another_is_named(self):
        found = self.json("--text", TEXT.decode())
        self.assertEqual(found["explained_label"], found["label"])
        self.assertEqual(found["label"], self.classify_json(self.path, "--text", TEXT.decode())[0]["label"])

    def test_against_is_the_difference_of_two_logits(self):
        red, blue = self.json("--text", "some text", "--label", "red"), self.json("--text", "some text", "--label", "blue")
        found = self.json("--text", "some text", "--label", "red", "--against", "blue")
        self.assert_close([found["logit"]], [red["logit"] - blue["logit"]], 1e-9)
        self.assert_close(found["contributions"], [a - b for a, b in zip(red["contributions"], blue["contributions"])], 1e-9)

    def test_the_labels_of_a_binary_model_are_each_others_opposite(self):
        model = self.save(tiny_model(labels=["safe", "toxic"]), "binary.json")
        safe, toxic = (self.json("--text", "text", "--label", label, model=model) for label in ("safe", "toxic"))
        self.assert_close(safe["contributions"], [-c for c in toxic["contributions"]], 1e-12)
        self.assertEqual(safe["logit"], -toxic["logit"])

    def test_bytes_beyond_max_len_are_told(self):
        found = self.json("--text", "x" * 100)
        self.assertEqual((found["bytes"], found["unseen_bytes"]), (32, 68))
        self.assertIn("68 more bytes", self.explain("--text", "x" * 100))

    def test_standard_input_is_one_input_without_its_last_newline(self):
        self.assertEqual(self.json(stdin=b"a\nb\n")["bytes"], 3)
        self.assertEqual(self.json("-", stdin=b"a")["bytes"], 1)

    def test_an_empty_input_is_explained(self):
        self.assertIn("holds no byte", self.explain("--text", ""))
        self.assertEqual(self.json("--text", "")["contributions"], [])

    def test_colours_follow_the_terminal(self):
        for env, code in (({"COLORTERM": "truecolor", "TERM": "xterm"}, "48;2;"), ({"TERM": "xterm-256color"}, "48;5;"),
                          ({"TERM": "linux"}, "\x1b[30;4")):
            text = self.explain("--text", TEXT.decode(), "--color", "always", env={"COLORTERM": "", **env})
            self.assertIn(code, text, env)
            for other in {"48;2;", "48;5;", "\x1b[30;4"} - {code}:
                self.assertNotIn(other, text, env)
        self.assertNotIn("\x1b", self.explain("--text", "x"))
        self.assertNotIn("\x1b", self.explain("--text", "x", env={"NO_COLOR": "1"}))

    def test_without_colours_signs_stand_under_the_characters(self):
        shown = self.explain("--text", TEXT.decode()).split("\n\n")[1]
        self.assertRegex(shown, r"\n  [ +#=-]*[+#=-]")

    def test_characters_are_kept_whole_and_harmless(self):
        hostile = "ä日é\x1b[31m\u202e".encode() + b"\xff\n"
        text = self.explain(self.write("hostile", hostile), "--color", "always", env={"COLORTERM": "truecolor"})
        plain = ESCAPES.sub("", text)
        self.assertNotIn("\x1b", plain)
        self.assertNotIn("\u202e", plain)
        for piece in ("ä", "日", "é", "␛", "↵"):
            self.assertIn(piece, plain)

    def test_binary_data_is_shown_as_numbers(self):
        text = self.explain(self.write("binary", bytes(range(32))))
        self.assertIn("000000  00 01 02", text)
        self.assertIn("61", self.explain("--text", "abc", "--hex").split("000000")[1])

    def test_the_page_holds_the_input_and_asks_for_nothing_else(self):
        page = self.folder / "page.html"
        for hexadecimal in ((), ("--hex",)):
            self.explain("--text", "<b>&amp; \"quoted\" ä", "--html", page, *hexadecimal)
            parsed = Page(page.read_text(encoding="utf-8"))
            self.assertEqual((parsed.open, parsed.outside), ([], []))
            self.assertIn("3c" if hexadecimal else '<b>&amp; "quoted" ä', parsed.text)

    def test_errors(self):
        for arguments, status, words in [
                ((self.folder / "missing",), 1, ["missing", "No such file"]),
                (("--text", "x", "--label", "gren"), 2, ["--label", "gren", "did you mean 'green'"]),
                (("--text", "x", "--against", "pink"), 2, ["--against", "pink"]),
                (("--text", "x", "--html", self.folder / "no" / "page.html"), 1, ["page.html"]),
                (("--text", "x", self.path), 2, ["--text"])]:
            with self.subTest(arguments):
                self.assert_error(bytecnn("explain", self.path, *arguments), status, *words)
        unpadded = self.save(tiny_model(pad_token=None), "unpadded.json")
        self.assert_error(bytecnn("explain", unpadded, "--text", ""), 1, "too short")


if __name__ == "__main__":
    unittest.main()
