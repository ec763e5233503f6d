"""N records in, N records out, in order and the same bytes, whatever the number of threads and the pace of the input."""
import random
import subprocess
import time
import unittest

from program import CLEAN_ENVIRONMENT, PROGRAM, ProgramTest, bytecnn, tiny_model


class Threads(ProgramTest):
    def setUp(self):
        super().setUp()
        self.path = self.save(tiny_model(outputs=3, output="softmax"))
        pick = random.Random(7)
        self.lines = b"".join(bytes(pick.choices(b"abcdefgh \xc3\xa4\x00", k=pick.choice((0, 1, 5, 20, 70)))) + b"\n"
                              for _ in range(60000))

    def test_the_output_does_not_depend_on_the_number_of_threads(self):
        for form in ("jsonl", "tsv", "score"):
            outputs = {bytecnn("classify", self.path, "--output", form, "--threads", threads, stdin=self.lines).stdout
                       for threads in (1, 2, 3, 8)}
            self.assertEqual(len(outputs), 1)
            self.assertEqual(outputs.pop().count(b"\n"), 60000)

    def test_errors_keep_their_places_among_many_threads(self):
        lines = [b'{"text": "abc"}', b"broken", b'{"text": 1}'] * 9000
        done = bytecnn("classify", self.path, "-", "--input", "jsonl", "--output", "tsv", "--threads", "5",
                       stdin=b"\n".join(lines))
        self.assertEqual(done.returncode, 1)
        rows = [line.split(b"\t") for line in done.stdout.splitlines()]
        self.assertEqual([int(row[0]) for row in rows], list(range(1, len(lines) + 1)))
        for number, row in enumerate(rows):
            self.assertEqual(len(row), 3 if number % 3 == 0 else 4)

    def test_messages_on_standard_error_are_in_order_too(self):
        done = bytecnn("classify", self.path, "-", "--input", "jsonl", "--output", "score", "--threads", "4",
                       stdin=b"broken\n" * 40000)
        numbers = [int(line.split(b": ")[2]) for line in done.stderr.splitlines()]
        self.assertEqual(numbers, list(range(1, 40001)))

    def test_files_are_read_by_all_threads_and_come_in_order(self):
        files = [self.write(f"f{i:04}", str(i) * (i % 50)) for i in range(1000)]
        outputs = {bytecnn("classify", self.path, *files, "--output", "tsv", "--threads", threads).stdout
                   for threads in (1, 2, 7)}
        self.assertEqual(len(outputs), 1)
        self.assertEqual([line.split(b"\t")[0].decode() for line in outputs.pop().splitlines()], [str(f) for f in files])

    def test_a_slow_writer_is_answered_at_once_by_many_threads(self):
        process = subprocess.Popen([PROGRAM, "classify", str(self.path), "--output", "tsv", "--threads", "4"],
                                   stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=CLEAN_ENVIRONMENT)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.stdin.close)
        for number in range(1, 30):
            process.stdin.write(b"a line\n")
            process.stdin.flush()
            self.assertTrue(process.stdout.readline().startswith(f"{number}\t".encode()))

    def test_too_many_threads_are_a_usage_error(self):
        self.assert_error(bytecnn("classify", self.path, "--threads", "100000", "--text", "x"), 2, "--threads", "1024")

    def test_time_is_measured_on_one_thread(self):
        started = time.monotonic()
        lines = self.classify(self.path, "--text", "x", "--time", "--threads", "2")
        self.assertIn(" us ", lines[0])
        self.assertLess(time.monotonic() - started, 30)


if __name__ == "__main__":
    unittest.main()
