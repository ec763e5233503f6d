"""The documents' transcripts, run as they stand: blocks of ```console, where "$ " begins a command and what follows is its
standard output. "..." ends an output that goes on. Numbers may differ in their last digit, those with an exponent (errors)
altogether; an instruction set that this machine lacks may be missing."""
import os
import pathlib
import re
import subprocess
import tempfile
import unittest

from program import CLEAN_ENVIRONMENT, PROGRAM

ROOT = pathlib.Path(__file__).resolve().parents[2]
INSTRUCTION_SETS = {"avx512", "avx2", "sse2", "neon64"}
NUMBER = re.compile(r"\d+(?:\.\d+)?(?:[eE][-+]?\d+)?")


def documents():
    """Of the project itself, not of what was built in it."""
    own = (path for path in ROOT.glob("**/*.md") if not path.relative_to(ROOT).parts[0].startswith((".", "build")))
    return sorted(path for path in own if "```console\n" in path.read_text())


def transcript_of(document):
    """Its commands, each with the lines of its output."""
    commands = []
    for block in re.findall(r"```console\n(.*?)```", document.read_text(), re.DOTALL):
        for line in block.replace("\\\n", "").splitlines():
            if line.startswith("$ "):
                commands.append((line[2:], []))
            else:
                commands[-1][1].append(line)
    return commands


def same_number(found, shown):
    if "e" in found.lower() or "e" in shown.lower():
        return True
    last_digit = 10.0 ** -len(shown.partition(".")[2])
    return abs(float(found) - float(shown)) <= 1.01 * last_digit


def same_line(found, shown):
    # What stands between numbers, whatever their width.
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


class Transcripts(unittest.TestCase):
    maxDiff = None

    def test_documents_show_what_the_programs_write(self):
        if not os.path.exists(PROGRAM + "-export"):
            self.skipTest("the exporter was not built")
        found_any = False
        for document in documents():
            with self.subTest(document.relative_to(ROOT)), tempfile.TemporaryDirectory() as folder:
                os.symlink(ROOT / "models", os.path.join(folder, "models"))
                for command, shown in transcript_of(document):
                    found_any = True
                    self.check(folder, command, shown)
        self.assertTrue(found_any)

    def check(self, folder, command, shown):
        path = os.path.dirname(PROGRAM) + os.pathsep + CLEAN_ENVIRONMENT.get("PATH", os.environ["PATH"])
        run = subprocess.run(["bash", "-c", command], cwd=folder, env={**CLEAN_ENVIRONMENT, "PATH": path}, timeout=120,
                             capture_output=True, text=True, check=False)
        self.assertEqual(run.returncode, 0, f"{command}\n{run.stderr}")
        found = run.stdout.splitlines()
        if shown and shown[-1] == "...":
            shown = without_missing_sets(shown[:-1], found)
            self.assertGreater(len(found), len(shown), f"{command}\nthe output does not go on:\n{run.stdout}")
            found = found[:len(shown)]
        else:
            shown = without_missing_sets(shown, found)
        if len(found) != len(shown) or not all(map(same_line, found, shown)):
            self.assertEqual("\n".join(found), "\n".join(shown), command)


if __name__ == "__main__":
    unittest.main()
