"""Manual pages and shell completions, which the build writes from the programs' own definitions."""
import os
import pathlib
import re
import shutil
import subprocess
import unittest

from program import CLEAN_ENVIRONMENT, PROGRAM, ProgramTest, bytecnn

PAGES = pathlib.Path(os.environ["BYTECNN_PAGES"])
COMMANDS = ("classify", "info", "check", "explain", "bench", "tune", "export", "verify", "inspect")
OWN = ("classify", "info", "check", "explain", "bench", "tune")


def options_in_help(command):
    """The long options that the command's help defines; what a description says of another command's is not among them."""
    defined = re.findall(r"^  (-\S+)", bytecnn(command, "--help").stdout.decode(), re.MULTILINE)
    return {name for names in defined for name in names.split(",") if name.startswith("--")}


class ManualPages(unittest.TestCase):
    def pages(self):
        pages = sorted((PAGES / "man1").glob("*.1"))
        self.assertEqual(sorted(page.stem for page in pages), sorted(["bytecnn", *(f"bytecnn-{c}" for c in COMMANDS)]))
        return pages

    def test_there_is_a_page_for_each_command_and_it_names_every_option(self):
        self.pages()
        for command in OWN:
            page = (PAGES / "man1" / f"bytecnn-{command}.1").read_text(encoding="ascii").replace("\\-", "-")
            for option in options_in_help(command):
                self.assertIn(f"\\fB{option}\\fR", page, command)
            for section in ("NAME", "SYNOPSIS", "OPTIONS", "EXAMPLES", "EXIT STATUS", "ENVIRONMENT", "SEE ALSO"):
                self.assertIn(f".SH {section}\n", page)

    @unittest.skipUnless(shutil.which("groff"), "needs groff")
    def test_groff_renders_them_without_a_warning(self):
        for page in self.pages():
            done = subprocess.run(["groff", "-man", "-Tutf8", "-ww", str(page)], capture_output=True, check=True)
            self.assertEqual(done.stderr, b"", page.name)
            self.assertIn(b"EXIT STATUS", re.sub(rb"\x1b\[[0-9;]*m|.\x08", b"", done.stdout))

    @unittest.skipUnless(shutil.which("mandoc"), "needs mandoc")
    def test_mandoc_finds_nothing_wrong(self):
        done = subprocess.run(["mandoc", "-T", "lint", "-W", "warning", *map(str, self.pages())], capture_output=True,
                              check=False)
        self.assertEqual((done.returncode, done.stdout), (0, b""))


class Completions(ProgramTest):
    def bash(self, *words):
        """What bash offers for the last of `words`."""
        line = " ".join(f"'{word}'" for word in words)
        script = f"""source '{PAGES}/bash/bytecnn'
COMP_WORDS=({line}); COMP_CWORD={len(words) - 1}
_bytecnn {words[0]}
printf '%s\\n' "${{COMPREPLY[@]}}" """
        done = subprocess.run(["bash", "-c", script], capture_output=True, timeout=30, check=True, cwd=self.folder)
        self.assertEqual(done.stderr, b"")
        return done.stdout.decode().split()

    def test_bash_completes_commands_options_values_and_files(self):
        self.assertEqual(self.bash("bytecnn", "cl"), ["classify"])
        self.assertLessEqual({*COMMANDS, "--help"}, set(self.bash("bytecnn", "")))
        self.assertEqual(self.bash("bytecnn", "classify", "--str"), ["--strategy"])
        self.assertEqual(self.bash("bytecnn", "classify", "--output", "js"), ["jsonl"])
        self.assertEqual(self.bash("bytecnn", "classify", "--output", "=", "js"), ["jsonl"])
        self.assertEqual(self.bash("bytecnn", "classify", "--output", "="), ["text", "tsv", "jsonl", "score", "label"])
        self.write("model.json", "")
        self.assertEqual(self.bash("bytecnn", "info", "mo"), ["model.json"])
        self.assertEqual(self.bash("bytecnn", "bench", "model.json", "--plot", "mo"), ["model.json"])
        self.assertEqual(self.bash("bytecnn", "classify", "--threads", ""), [])

    def test_bash_offers_every_option_of_every_command(self):
        for command in OWN:
            self.assertEqual(options_in_help(command), {o for o in self.bash("bytecnn", command, "-") if o.startswith("--")})

    @unittest.skipUnless(shutil.which("fish"), "needs fish")
    def test_fish_completes_commands_options_and_values(self):
        def fish(line):
            done = subprocess.run(["fish", "--no-config", "-c", f"source '{PAGES}/fish/bytecnn.fish'; complete -C '{line}'"],
                                  capture_output=True, timeout=30, check=True, env={**CLEAN_ENVIRONMENT, "HOME": str(self.folder)})
            return [entry.split("\t")[0] for entry in done.stdout.decode().splitlines()]
        self.assertEqual(fish("bytecnn cla"), ["classify"])
        self.assertEqual(fish("bytecnn classify --str"), ["--strategy"])
        self.assertEqual(fish("bytecnn classify --output js"), ["jsonl"])

    @unittest.skipUnless(shutil.which("zsh"), "needs zsh")
    def test_zsh_loads_it(self):
        script = f"fpath=('{PAGES}/zsh' $fpath); autoload -U compinit; compinit -D; whence -w _bytecnn; print $_comps[bytecnn]"
        done = subprocess.run(["zsh", "-f", "-c", script], capture_output=True, timeout=30, check=True,
                              env={**CLEAN_ENVIRONMENT, "HOME": str(self.folder)})
        self.assertEqual(done.stdout.decode().split("\n")[:2], ["_bytecnn: function", "_bytecnn"])
        parsed = subprocess.run(["zsh", "-n", str(PAGES / "zsh/_bytecnn")], capture_output=True, check=True)
        self.assertEqual(parsed.stderr, b"")


class Suggestions(ProgramTest):
    def test_the_nearest_name_is_suggested(self):
        for arguments, name in ((["clasify"], "'classify'"), (["classify", "m", "--thread", "2"], "'--threads'"),
                                (["classify", "m", "--outptu=tsv"], "'--output'"), (["info", "m", "--jsno"], "'--json'")):
            self.assert_error(bytecnn(*arguments), 2, f"did you mean {name}?", "--help'")

    def test_far_names_are_not(self):
        done = bytecnn("classify", "m", "--frobnicate")
        self.assertNotIn(b"did you mean", done.stderr)
        self.assertIn(b"there is no option '--frobnicate'", done.stderr)

    def test_the_programs_for_checkpoints_do_the_same(self):
        found = False
        for program in ("export", "verify"):
            if not pathlib.Path(PROGRAM).with_name(f"bytecnn-{program}").exists():
                continue
            found = True
            done = bytecnn(program, "a.pth", "b.json", "--pooing", "max")
            self.assertEqual(done.returncode, 2)
            self.assertIn(b"did you mean '--pooling'?", done.stderr)
        if not found:
            self.skipTest("built without the exporter")


if __name__ == "__main__":
    unittest.main()
