"""Help, version, wrong command lines, unreadable models: messages and exit statuses."""
import json
import unittest

from program import ProgramTest, bytecnn, tiny_model


class Help(ProgramTest):
    def test_help_goes_to_standard_output_with_examples(self):
        for arguments in (["--help"], ["-h"], ["classify", "--help"], ["info", "--help"], ["check", "-h"]):
            done = bytecnn(*arguments)
            self.assertEqual((done.returncode, done.stderr), (0, b""), arguments)
            self.assertIn(b"Examples:", done.stdout, arguments)
            self.assertIn(b"bytecnn " + (arguments[0].encode() if len(arguments) > 1 else b"classify"), done.stdout)

    def test_help_names_every_command_and_option(self):
        text = bytecnn("--help").stdout.decode()
        for command in ("classify", "info", "check", "export", "verify", "inspect"):
            self.assertIn(command, text)
        text = bytecnn("classify", "--help").stdout.decode()
        for option in ("--input", "--field", "--text", "--output", "--strategy", "--threads", "--time", "--color"):
            self.assertIn(option, text)
        for name in ("lines", "whole", "nul", "jsonl", "tsv", "score", "label", "truncate", "average", "attention"):
            self.assertIn(name, text)

    def test_version(self):
        done = bytecnn("--version")
        self.assertEqual(done.returncode, 0)
        self.assertRegex(done.stdout.decode(), r"^bytecnn \d+\.\d+\.\d+\n$")


class WrongCommandLines(ProgramTest):
    def test_nothing_at_all_shows_the_help_on_standard_error(self):
        done = bytecnn()
        self.assertEqual((done.returncode, done.stdout), (2, b""))
        self.assertIn(b"classify", done.stderr)

    def test_usage_errors_say_what_is_wrong_and_where_help_is(self):
        path = self.save(tiny_model())
        for arguments, words in [
                (["clasify", path], ["clasify", "bytecnn --help"]),
                (["--frobnicate"], ["--frobnicate", "bytecnn --help"]),
                (["classify"], ["MODEL", "bytecnn classify --help"]),
                (["classify", path, "--frobnicate"], ["--frobnicate", "bytecnn classify --help"]),
                (["classify", path, "--output", "xml"], ["xml", "jsonl", "--output"]),
                (["classify", path, "--input", "words"], ["words", "lines", "--input"]),
                (["classify", path, "--threads", "many"], ["many", "--threads"]),
                (["classify", path, "--threads", "-1"], ["-1", "--threads"]),
                (["classify", path, "--text"], ["--text"]),
                (["classify", path, "--color", "pink"], ["pink", "never"]),
                (["classify", path, "--field", "body", "--text", "x"], ["--field", "--input jsonl"]),
                (["explain", path, "--label", "2", "--text", "x"], ["--label", "one of 0, 1", "'2'"]),
                (["info"], ["MODEL", "bytecnn info --help"]),
                (["info", path, "another"], ["another"]),
                (["check", path, "--output", "jsonl"], ["--output"])]:
            with self.subTest(arguments):
                self.assert_error(bytecnn(*arguments), 2, *words)

    def test_a_forced_instruction_set_that_is_unknown_is_a_usage_error(self):
        path = self.save(tiny_model())
        for command in (["classify", path, "--text", "x"], ["info", path]):
            self.assert_error(bytecnn(*command, env={"BYTECNN_FORCE_ISA": "mmx"}), 2, "mmx", "avx2")


class UnreadableModels(ProgramTest):
    COMMANDS = (["classify", "{}", "--text", "x"], ["info", "{}"], ["check", "{}"])

    def assert_refused(self, path, status, *words):
        for command in self.COMMANDS:
            with self.subTest(command=command[0]):
                self.assert_error(bytecnn(*[part.format(path) for part in command]), status, path.name, *words)

    def test_missing(self):
        self.assert_refused(self.folder / "missing.json", 3, "No such file")

    def test_a_folder(self):
        self.assert_refused(self.folder, 3, "a folder")

    def test_empty(self):
        self.assert_refused(self.write("empty.json", b""), 3)

    def test_not_json(self):
        self.assert_refused(self.write("broken.json", b'{"format": '), 3)

    def test_a_checkpoint_is_told_to_be_exported_first(self):
        self.assert_refused(self.write("model.pth", b"PK\x03\x04" + bytes(100)), 3, "zip", "bytecnn export")

    def test_a_shape_that_is_wrong_is_named(self):
        model = tiny_model()
        model["weights"]["conv1_bias"].append(0.5)
        self.assert_refused(self.save(model, "shape.json"), 3, "/weights/conv1_bias", "4", "5")

    def test_a_newer_format(self):
        model = tiny_model()
        model["format_version"] = 999
        self.assert_refused(self.save(model, "newer.json"), 4)

    def test_a_hostile_name_in_an_error_does_not_reach_the_terminal_raw(self):
        model = tiny_model()
        model["architecture"]["pooling"] = "\x1b[31mred"
        done = bytecnn("info", self.write("red.json", json.dumps(model)))
        self.assertEqual(done.returncode, 3)
        self.assertNotIn(b"\x1b", done.stderr)


if __name__ == "__main__":
    unittest.main()
