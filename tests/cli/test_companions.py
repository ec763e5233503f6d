"""`bytecnn export` and `bytecnn verify` start the programs beside bytecnn, whatever the arguments are."""
import os
import pathlib
import shutil
import subprocess
import unittest

from program import CLEAN_ENVIRONMENT, PROGRAM, ProgramTest


class Companions(ProgramTest):
    def setUp(self):
        super().setUp()
        self.bin = self.folder / "bin"
        self.bin.mkdir()
        self.program = pathlib.Path(shutil.copy(PROGRAM, self.bin / "bytecnn"))

    def run_program(self, *arguments, program=None, path="/nonexistent"):
        # The library may be shared and lie beside the original.
        library_path = os.pathsep.join([str(pathlib.Path(PROGRAM).parent), str(pathlib.Path(PROGRAM).parent.parent / "runtime")])
        return subprocess.run([str(program or self.program), *arguments], capture_output=True, timeout=30, check=False,
                              env={**CLEAN_ENVIRONMENT, "PATH": path, "LD_LIBRARY_PATH": library_path})

    def install(self, name, script):
        path = self.bin / name
        path.write_text("#!/bin/sh\n" + script)
        path.chmod(0o755)

    def test_all_arguments_are_handed_on_unparsed(self):
        for command in ("export", "verify"):
            self.install(f"bytecnn-{command}", 'for argument; do printf "[%s]" "$argument"; done; exit 7\n')
            done = self.run_program(command, "a b", "", "--help", "--version", "--", "*", "-x", "--color=always")
            self.assertEqual(done.returncode, 7, "the exit status is the companion's own")
            self.assertEqual(done.stdout, b"[a b][][--help][--version][--][*][-x][--color=always]")

    def test_inspect_is_an_option_of_the_exporter(self):
        self.install("bytecnn-export", 'printf "[%s]" "$@"\n')
        self.assertEqual(self.run_program("inspect", "model.pth", "--json").stdout, b"[--inspect][model.pth][--json]")

    def test_it_is_found_beside_the_real_file_behind_a_link(self):
        self.install("bytecnn-export", "echo found\n")
        link = self.folder / "link"
        link.symlink_to(self.program)
        self.assertEqual(self.run_program("export", program=link).stdout, b"found\n")

    def test_a_broken_pipe_is_the_companions_own_business(self):
        self.install("bytecnn-export", "trap - PIPE; kill -s PIPE $$; echo survived\n")
        self.assertEqual(self.run_program("export", path="/usr/bin:/bin").stdout, b"", "SIGPIPE must not stay ignored")

    def test_without_it_the_message_says_what_to_do(self):
        for command in ("export", "verify"):
            done = self.run_program(command, "model.pth")
            self.assertEqual((done.returncode, done.stdout), (4, b""))
            message = done.stderr.decode()
            self.assertTrue(message.startswith("bytecnn: error: "), message)
            package = {"export": "bytecnn-tools", "verify": "bytecnn-verify"}[command]
            for words in (f"bytecnn-{command}", f"package {package}", "not installed", str(self.bin), "BYTECNN_BUILD_EXPORTER"):
                self.assertIn(words, message)

    def test_one_that_cannot_be_started_is_told_apart(self):
        (self.bin / "bytecnn-export").write_text("no program")
        done = self.run_program("export")
        self.assertEqual(done.returncode, 4)
        self.assertIn(b"cannot be started", done.stderr)

    def test_it_is_never_taken_from_the_path(self):
        self.install("bytecnn-export", "echo from the path\n")
        elsewhere = self.folder / "elsewhere"
        elsewhere.mkdir()
        alone = shutil.copy(PROGRAM, elsewhere / "bytecnn")
        done = self.run_program("export", program=alone, path=str(self.bin))
        self.assertEqual((done.returncode, done.stdout), (4, b""))


if __name__ == "__main__":
    unittest.main()
