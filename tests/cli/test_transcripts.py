"""The documents' commands, run as they stand. In blocks of ```console "$ " begins a command and what follows is its standard
output. "..." ends an output that goes on. Numbers may differ in their last digit, those with an exponent (errors) and
durations altogether; an instruction set that this machine lacks may be missing. Blocks of ```sh are commands alone, which
must end with status 0; the files that documents name are `a_readers_files`. Pictures that `tools/draw-terminal` drew are
drawn again."""
import json
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import tempfile
import unittest

import safetensors
from program import CLEAN_ENVIRONMENT, PROGRAM, logits_of, tiny_model

ROOT = pathlib.Path(__file__).resolve().parents[2]
# Fetches gigabytes of packages, or needs PyTorch in Python.
TRAINING = re.compile(r"/usr/bin/python3 models/")
INSTRUCTION_SETS = {"avx512", "avx2", "sse2", "neon64"}
DURATION = re.compile(r"\d+(?:\.\d+)? m?s\b")
NUMBER = re.compile(r"\d+(?:\.\d+)?(?:[eE][-+]?\d+)?")


def documents(language):
    """Of the project itself, not of what was built in it, those with a block in this language."""
    own = (path for path in ROOT.glob("**/*.md") if not path.relative_to(ROOT).parts[0].startswith((".", "build")))
    return sorted(path for path in own if blocks_of(path, language))


def blocks_of(document, language):
    return re.findall(rf"^```{language}\n(.*?)^```", document.read_text(), re.DOTALL | re.MULTILINE)


def pictures_of(document):
    """Those that say which command they show."""
    paths = (document.parent / path for path in re.findall(r"!\[[^]]*\]\(([^)]+\.svg)\)", document.read_text()))
    return [path for path in paths if "data-lines=" in path.read_text()]


def transcript_of(document):
    """Its commands, each with the lines of its output."""
    commands = []
    for block in blocks_of(document, "console"):
        for line in block.replace("\\\n", "").splitlines():
            if line.startswith("$ "):
                commands.append((line[2:], []))
            else:
                commands[-1][1].append(line)
    return commands


def a_readers_files(folder):
    """What a reader has when the documents say `my.pth` and the like: a model of two labels, and texts of all kinds."""
    model = tiny_model()
    checkpoint = {name.replace("_", "."): values for name, values in model["weights"].items()}
    checkpoint["embedding.weight"] = checkpoint.pop("embedding")
    for name in ("my.pth", "model.pth"):  # a file's form is told by what is in it
        safetensors.save(folder / name, checkpoint)
    max_len = model["architecture"]["max_len"]
    inputs = [b"", b"a", b"Hello", bytes(range(256)), b"x" * max_len, b"The quick brown fox jumps over the lazy dog."]
    recorded = [{"input_hex": data.hex(), "logits": logits_of(model, data)} for data in inputs]
    (folder / "recorded.json").write_text(json.dumps({"format": "bytecnn-reference", "dtype": "float64", "max_len": max_len,
                                                      "pad_token": 0, "inputs": recorded}))
    (folder / "architecture.json").write_text('{"max_len": 16}')
    (folder / "lines.txt").write_text("a line\nand another\n")
    (folder / "mail").mkdir()
    (folder / "mail/1.eml").write_text("Subject: a file\n\nof a folder\n")


def same_number(found, shown):
    if "e" in found.lower() or "e" in shown.lower():
        return True
    last_digit = 10.0 ** -len(shown.partition(".")[2])
    return abs(float(found) - float(shown)) <= 1.01 * last_digit


def same_line(found, shown):
    # What stands between numbers, whatever their width.
    found, shown = (DURATION.sub("some time", line) for line in (found, shown))
    between = [re.sub(r"\s+", " ", " ".join(NUMBER.split(line))) for line in (found, shown)]
    numbers = list(zip(NUMBER.findall(found), NUMBER.findall(shown)))
    return between[0] == between[1] and all(same_number(a, b) for a, b in numbers)


def without_missing_sets(shown, found):
    missing = INSTRUCTION_SETS - {line.split()[0] for line in found if line.strip()}
    return [line for line in shown if not line.strip() or line.split()[0] not in missing]


class Comparison(unittest.TestCase):
    def test_last_digits_and_errors_may_differ_and_nothing_else(self):
        self.assertTrue(same_line("en  0.9974  The ferry", "en  0.9975  The ferry"))
        self.assertTrue(same_line("  avx2   9.96e-06  ok", "  avx2    8.8e-06  ok"))
        self.assertFalse(same_line("en  0.9974  The ferry", "en  0.9984  The ferry"))
        self.assertFalse(same_line("de  0.9974  The ferry", "en  0.9974  The ferry"))
        self.assertFalse(same_line("  avx2   9.96e-06  ok", "  avx2    8.8e-06  FAIL"))
        self.assertFalse(same_line("  # a1", "  ## a1"))
        self.assertTrue(same_line("3 of 4 tried, 1.1 s", "3 of 4 tried, 12 s"))
        self.assertFalse(same_line("3 of 4 tried, 1.1 s", "1 of 4 tried, 1.1 s"))


class Transcripts(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        if not os.path.exists(PROGRAM + "-export"):
            self.skipTest("the exporter was not built")

    def test_documents_show_what_the_programs_write(self):
        self.assertIn(ROOT / "README.md", documents("console"))
        self.assertEqual(pictures_of(ROOT / "README.md"), [ROOT / "tools/explain.svg"])
        for document in documents("console"):
            with self.subTest(document.relative_to(ROOT)), tempfile.TemporaryDirectory() as folder:
                shutil.copytree(ROOT / "models", pathlib.Path(folder) / "models")
                a_readers_files(pathlib.Path(folder))
                for command, shown in transcript_of(document):
                    self.check_output(command, self.run_in(folder, command), shown)
                for picture in pictures_of(document):
                    with self.subTest(picture.relative_to(ROOT)):
                        self.check_picture(folder, picture)

    def test_commands_without_output_do_what_documents_say(self):
        """`--fail-on` ends with 1 where it finds something, which is what it is for."""
        self.assertIn(ROOT / "README.md", documents("sh"))
        for document in documents("sh"):
            with self.subTest(document.relative_to(ROOT)), tempfile.TemporaryDirectory() as folder:
                shutil.copytree(ROOT / "models", pathlib.Path(folder) / "models")
                a_readers_files(pathlib.Path(folder))
                for block in blocks_of(document, "sh"):
                    for command in block.replace("\\\n", "").splitlines():
                        if not TRAINING.match(command):
                            self.run_in(folder, command, allowed=(0, 1) if "--fail-on" in command else (0,))

    def run_in(self, folder, command, allowed=(0,)):
        """Its standard output's lines."""
        path = os.path.dirname(PROGRAM) + os.pathsep + CLEAN_ENVIRONMENT.get("PATH", os.environ["PATH"])
        run = subprocess.run(["bash", "-c", command], cwd=folder, env={**CLEAN_ENVIRONMENT, "PATH": path}, timeout=120,
                             capture_output=True, text=True, check=False)
        self.assertIn(run.returncode, allowed, f"{command}\n{run.stderr}")
        return run.stdout.splitlines()

    def check_picture(self, folder, picture):
        try:
            os.close(os.openpty()[0])
        except OSError:
            self.skipTest("no pseudo terminals here")
        redraw = shlex.join([str(ROOT / "tools/draw-terminal"), "--redraw", str(picture)])
        self.check_output(redraw, self.run_in(folder, redraw), picture.read_text().splitlines())

    def check_output(self, command, found, shown):
        if shown and shown[-1] == "...":
            shown = without_missing_sets(shown[:-1], found)
            self.assertGreater(len(found), len(shown), f"{command}\nthe output does not go on:\n{found}")
            found = found[:len(shown)]
        else:
            shown = without_missing_sets(shown, found)
        if len(found) != len(shown) or not all(map(same_line, found, shown)):
            self.assertEqual("\n".join(found), "\n".join(shown), command)


if __name__ == "__main__":
    unittest.main()
