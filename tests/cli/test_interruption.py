"""Ctrl-C and SIGTERM: whole records are written, and the shell sees the signal."""
import select
import signal
import subprocess
import time
import unittest

from program import StreamTest


class Interruption(StreamTest):
    def test_waiting_for_input_ends_by_the_signal(self):
        for threads in ("1", "4"):
            for number in (signal.SIGINT, signal.SIGTERM):
                process = self.start("--output", "tsv", "--threads", threads)
                process.stdin.write(b"whole line\nunfinished")
                process.stdin.flush()
                self.assertTrue(process.stdout.readline().startswith(b"1\t"))
                process.send_signal(number)
                self.assertEqual(process.wait(10), -number, "the shell sees 128 + the signal")
                self.assertEqual(process.stdout.read(), b"", "what is unfinished is no record")

    def test_in_the_midst_of_work_whole_records_are_written_in_order(self):
        for threads in ("1", "3"):
            lines = subprocess.Popen(["yes", "a line of some length"], stdout=subprocess.PIPE)
            process = self.start("--output", "tsv", "--threads", threads, stdin=lines.stdout)
            process.stdin = None
            lines.stdout.close()
            output = process.stdout.read(1 << 20)
            process.send_signal(signal.SIGINT)
            output += process.stdout.read()
            self.assertEqual(process.wait(10), -signal.SIGINT)
            lines.wait(10)
            self.assertTrue(output.endswith(b"\n"))
            rows = output.splitlines()
            self.assertEqual([int(row.split(b"\t")[0]) for row in rows], list(range(1, len(rows) + 1)))
            self.assertEqual({row.count(b"\t") for row in rows}, {2})

    def test_a_reader_that_takes_nothing_does_not_keep_it_alive(self):
        lines = subprocess.Popen(["yes"], stdout=subprocess.PIPE)
        process = self.start("--threads", "2", stdin=lines.stdout)
        process.stdin = None
        lines.stdout.close()
        self.addCleanup(lines.wait)
        select.select([process.stdout], [], [], 10)
        time.sleep(0.3)  # the pipe is full by now
        started = time.monotonic()
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.wait(20), -signal.SIGINT)
        self.assertLess(time.monotonic() - started, 10)

    def test_an_ignored_signal_stays_ignored(self):
        process = self.start("--output", "tsv", preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN))
        process.stdin.write(b"a line\n")
        process.stdin.flush()
        process.stdout.readline()
        process.send_signal(signal.SIGINT)
        process.stdin.write(b"another line\n")
        process.stdin.close()
        self.assertTrue(process.stdout.readline().startswith(b"2\t"))
        self.assertEqual(process.wait(10), 0)

    def test_a_closed_pipe_ends_it_although_it_waits_for_input(self):
        for threads in ("1", "4"):
            process = self.start("--threads", threads)
            process.stdin.write(b"a line\n")
            process.stdin.flush()
            process.stdout.readline()
            process.stdout.close()
            process.stdin.write(b"another\n")  # its answer finds nobody
            process.stdin.flush()
            self.assertEqual(process.wait(10), 0)


if __name__ == "__main__":
    unittest.main()
