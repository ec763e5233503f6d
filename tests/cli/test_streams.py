"""Being a part of a pipeline: answering at once, closed pipes, closed descriptors, full disks, bounded memory."""
import fcntl
import os
import pty
import resource
import select
import struct
import subprocess
import termios
import unittest

from program import CLEAN_ENVIRONMENT, PROGRAM, StreamTest, tiny_model


class Streams(StreamTest):
    def assert_answer(self, descriptor):
        ready, _, _ = select.select([descriptor], [], [], 30)
        self.assertTrue(ready, "no answer although a whole line was sent")
        return os.read(descriptor, 1 << 16)

    def test_each_line_is_answered_before_the_next_is_sent(self):
        process = self.start("--output", "tsv")
        for number in (b"1", b"2", b"3"):
            process.stdin.write(b"a line\n")
            process.stdin.flush()
            answer = self.assert_answer(process.stdout.fileno())
            self.assertTrue(answer.startswith(number + b"\t") and answer.endswith(b"\n"), answer)
        process.stdin.close()
        self.assertEqual(process.wait(30), 0)

    def test_a_closed_pipe_is_no_error(self):
        process = self.start("--output", "jsonl", stderr=subprocess.PIPE)
        process.stdout.close()
        try:
            for _ in range(200):
                process.stdin.write(b"a line of some length\n" * 1000)
            process.stdin.close()
        except BrokenPipeError:
            pass
        self.assertEqual(process.wait(60), 0)
        self.assertEqual(process.stderr.read(), b"")

    def test_a_full_disk_is_told(self):
        with open("/dev/full", "wb") as full:
            process = self.start("--text", "x", stdout=full, stderr=subprocess.PIPE)
            self.assertEqual(process.wait(30), 1)
            self.assertIn(b"No space left", process.stderr.read())

    def test_a_closed_standard_output_is_told_and_no_file_is_written_instead(self):
        done = subprocess.run(["sh", "-c", '"$0" classify "$1" --text x >&-', PROGRAM, str(self.path)], timeout=30,
                              capture_output=True, env=CLEAN_ENVIRONMENT, check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn(b"standard output", done.stderr)

    def test_a_closed_standard_input_is_an_empty_one(self):
        done = subprocess.run(["sh", "-c", '"$0" classify "$1" <&-', PROGRAM, str(self.path)], timeout=30,
                              capture_output=True, env=CLEAN_ENVIRONMENT, check=False)
        self.assertEqual((done.returncode, done.stdout), (0, b""))

    def test_memory_does_not_grow_with_the_stream(self):
        process = self.start("--output", "score", stdout=subprocess.DEVNULL)
        block = b"a line of some length\n" * 5000 + b"one without an end in sight " * 50000
        for _ in range(60):  # about 90 MB
            process.stdin.write(block)
        process.stdin.close()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        self.assertEqual(process.returncode, 0)
        instrumented = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # this Python's own size, for scale
        if "ASAN_OPTIONS" not in os.environ:
            self.assertLess(usage.ru_maxrss, 48 * 1024 + instrumented, "kilobytes")

    def test_a_writer_whose_input_is_cut_does_not_fail(self):
        script = '{ head -c 3000000 /dev/zero; echo written >&2; } | "$0" classify "$1" - --input whole --output label'
        done = subprocess.run(["bash", "-o", "pipefail", "-c", script, PROGRAM, str(self.path)], timeout=60,
                              capture_output=True, env=CLEAN_ENVIRONMENT, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn(b"written", done.stderr)

    def pseudo_terminal(self):
        """Our end and the program's; a chroot without /dev/pts has none to give."""
        try:
            ours, its = pty.openpty()
        except OSError as error:
            self.skipTest(f"no pseudo-terminal: {error}")
        self.addCleanup(os.close, ours)
        return ours, its

    def on_a_terminal(self, arguments, environment, columns=80):
        """What the program writes to a terminal that is its standard output."""
        ours, its = self.pseudo_terminal()
        fcntl.ioctl(its, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        process = subprocess.Popen([PROGRAM, *arguments], stdin=subprocess.DEVNULL, stdout=its,
                                   env={**CLEAN_ENVIRONMENT, **environment})
        os.close(its)
        written = b""
        while True:
            try:
                piece = os.read(ours, 4096)
            except OSError:  # the terminal's other side is closed
                break
            if not piece:
                break
            written += piece
        self.assertEqual(process.wait(30), 0)
        return written

    def test_a_terminal_shows_each_line_when_it_comes(self):
        ours, its = self.pseudo_terminal()
        process = self.start("--threads", "2", stdout=its)
        os.close(its)
        for word in (b"first", b"second", b"third"):
            process.stdin.write(word + b" line\n")
            process.stdin.flush()
            shown = b""
            while not shown.endswith(b"\n"):
                shown += self.assert_answer(ours)
            self.assertIn(word, shown)

    def progress_of(self, *arguments, stdout=subprocess.DEVNULL, **options):
        """What is shown on a terminal that is standard error while the input takes more than a second."""
        ours, its = self.pseudo_terminal()
        process = self.start(*arguments, stdout=stdout, stderr=its, **options)
        os.close(its)
        process.stdin.write(b"a line\n" * 1234)
        process.stdin.flush()
        shown = b""
        if select.select([ours], [], [], 1.6)[0]:
            shown = os.read(ours, 4096)
        process.stdin.close()
        process.wait(30)
        try:
            shown += os.read(ours, 4096)
        except OSError:
            pass
        return shown

    def test_long_work_shows_its_progress_on_a_terminal_and_takes_it_away(self):
        shown = self.progress_of()
        self.assertIn(b"1,234 inputs", shown)
        self.assertTrue(shown.endswith(b"\r\x1b[K"), shown)
        self.assertEqual(self.progress_of("--quiet"), b"")
        self.assertEqual(self.progress_of(env={**CLEAN_ENVIRONMENT, "TERM": "dumb"}), b"", "which cannot take it away")

    def test_lists_of_names_fit_the_terminal(self):
        labels = [f"label{i}" for i in range(60)]
        path = str(self.save(tiny_model(outputs=60, output="softmax", labels=labels), "many.json"))
        for columns in (40, 80, 200):
            shown = self.on_a_terminal(["info", path], {"TERM": "dumb"}, columns).decode()
            lines = [line.rstrip("\r") for line in shown.split("\n") if "label" in line]
            self.assertGreater(len(lines), 1)
            self.assertLessEqual(max(map(len, lines)), min(columns, 100))
            self.assertIn(labels[-1], lines[-1])

    def test_a_terminal_gets_colours_unless_it_is_told_not_to(self):
        arguments = ["info", str(self.path)]
        self.assertIn(b"\x1b[", self.on_a_terminal(arguments, {"TERM": "xterm"}))
        self.assertNotIn(b"\x1b[", self.on_a_terminal(arguments, {"TERM": "xterm", "NO_COLOR": "1"}))
        self.assertNotIn(b"\x1b[", self.on_a_terminal(arguments, {"TERM": "dumb"}))


if __name__ == "__main__":
    unittest.main()
