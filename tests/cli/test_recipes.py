"""The recipes for work at scale, run as they are written down. GNU parallel and Slurm are the real ones where they are
installed; Spark and ClickHouse are played by drivers that write, wait and end as these do."""
import importlib.util
import json
import os
import pathlib
import select
import shlex
import shutil
import subprocess
import tempfile
import threading
import time
import unittest
import xml.etree.ElementTree as ElementTree

import slurm_node
from program import CLEAN_ENVIRONMENT, PROGRAM, ProgramTest, bytecnn, tiny_model

RECIPES = pathlib.Path(os.environ["BYTECNN_RECIPES"])
ENVIRONMENT = {**CLEAN_ENVIRONMENT, "BYTECNN": PROGRAM}


class Recipe(ProgramTest):
    def setUp(self):
        super().setUp()
        self.path = self.save(tiny_model(outputs=3, output="softmax", labels=["red", "gr\teen", "blue"]))
        self.texts = [f"line {i} {'x' * (i % 9)}" for i in range(5000)]
        self.lines = self.write("lines.txt", "\n".join(self.texts) + "\n")


@unittest.skipUnless(shutil.which("parallel"), "needs GNU parallel")
class GnuParallel(Recipe):
    def parallel(self, *arguments, stdin=b"", block="10k"):
        return subprocess.run([RECIPES / "gnu-parallel", *map(str, arguments)], input=stdin, capture_output=True,
                              timeout=120, check=False, env={**ENVIRONMENT, "BLOCK": block, "HOME": str(self.folder)})

    def test_a_file_and_a_stream_come_out_in_order(self):
        expected = bytecnn("classify", self.path, "--output", "label", stdin=self.lines.read_bytes()).stdout
        for arguments, stdin in (((self.path, self.lines), b""), ((self.path, "-"), self.lines.read_bytes())):
            done = self.parallel(*arguments, stdin=stdin)
            self.assertEqual((done.returncode, done.stderr), (0, b""))
            self.assertEqual(done.stdout, expected)

    def test_a_failed_record_is_told_by_the_status_and_the_rest_is_there(self):
        records = b'{"text":"a"}\nbroken\n' * 400
        done = self.parallel(self.path, "-", "--input", "jsonl", "--output", "jsonl", stdin=records, block="2k")
        self.assertEqual(done.returncode, 1)
        self.assertEqual(["error" in json.loads(line) for line in done.stdout.splitlines()], [False, True] * 400)

    def test_a_missing_model_is_told(self):
        self.assertEqual(self.parallel(self.folder / "missing.json", self.lines).returncode, 1)


class SlurmArray(Recipe):
    """Without Slurm the script is run as Slurm would run it; with it, as an array job of a real one."""

    def setUp(self):
        super().setUp()
        self.files = [self.write(f"part {i}.txt", "\n".join(self.texts[i::7]) + "\n") for i in range(7)]
        self.list = self.write("list", "".join(f"{file}\n" for file in self.files))
        self.results = self.folder / "results"

    def assert_complete(self):
        names = sorted(path.name for path in self.results.iterdir())
        self.assertEqual(names, sorted(str(file).replace("/", "%") + ".jsonl" for file in self.files))
        for file in self.files:
            expected = bytecnn("classify", self.path, "--output", "jsonl", stdin=file.read_bytes()).stdout
            self.assertEqual((self.results / (str(file).replace("/", "%") + ".jsonl")).read_bytes(), expected)

    def task(self, number, count, **environment):
        return subprocess.run([RECIPES / "slurm-array.sbatch", self.path, self.list, self.results], capture_output=True,
                              timeout=60, check=False,
                              env={**ENVIRONMENT, "SLURM_ARRAY_TASK_ID": str(number), "SLURM_ARRAY_TASK_COUNT": str(count),
                                   "SLURM_ARRAY_TASK_MIN": "1", **environment})

    def test_the_tasks_share_the_files_and_a_second_run_does_only_what_is_missing(self):
        for number in (1, 2, 3):
            self.assertEqual(self.task(number, 3).returncode, 0)
        self.assert_complete()
        before = {path: path.stat().st_mtime_ns for path in self.results.iterdir()}
        lost = sorted(before)[2]
        lost.unlink()
        for number in (1, 2, 3):
            self.assertEqual(self.task(number, 3).returncode, 0)
        self.assert_complete()
        self.assertEqual({path for path in before if path.stat().st_mtime_ns != before[path]}, {lost})

    def test_a_file_that_is_missing_fails_the_task_and_leaves_nothing_half_done(self):
        self.files[3].unlink()
        self.assertEqual(self.task(1, 1).returncode, 1)
        self.assertEqual(len(list(self.results.iterdir())), 3)

    @unittest.skipIf(slurm_node.missing(), slurm_node.missing())
    def test_an_array_job_of_a_real_slurm(self):
        with tempfile.TemporaryDirectory() as folder, slurm_node.SlurmNode(folder) as slurm:
            done = slurm.batch("--array=0-2", RECIPES / "slurm-array.sbatch", self.path, self.list, self.results,
                               BYTECNN=PROGRAM)
            logs = [path.read_text() for path in pathlib.Path(folder).glob("job-*.out")]
            self.assertEqual(done.returncode, 0, (done.stderr, logs))
            self.assertEqual(len(logs), 3)
            self.assert_complete()
            failed = slurm.batch("--array=0-1", RECIPES / "slurm-array.sbatch", self.folder / "missing.json", self.list,
                                 self.folder / "other", BYTECNN=PROGRAM)
            self.assertEqual(failed.returncode, 3, "the job ends as the program did")


class SparkPipe(Recipe):
    """As PipedRDD does: a thread writes a partition's records, a line each, and closes; lines are read until the end; a
    status that is not 0 fails the task."""

    def pipe(self, model, records):
        specification = importlib.util.spec_from_file_location("spark_pipe", RECIPES / "spark_pipe.py")
        recipe = importlib.util.module_from_spec(specification)
        specification.loader.exec_module(recipe)
        process = subprocess.Popen(recipe.command(model, PROGRAM).split(), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, env=CLEAN_ENVIRONMENT)

        def write():
            try:
                for record in records:
                    process.stdin.write(record.encode() + b"\n")
                process.stdin.close()
            except BrokenPipeError:
                pass
        writer = threading.Thread(target=write)
        writer.start()
        answers = [line.rstrip(b"\n") for line in process.stdout]
        writer.join(30)
        status = process.wait(30)
        process.stderr.close()
        process.stdout.close()
        if not process.stdin.closed:
            try:
                process.stdin.close()
            except BrokenPipeError:
                pass
        if status != 0:
            raise RuntimeError(f"Subprocess exited with status {status}")
        return answers

    def test_every_record_has_its_answer_in_its_place(self):
        answers = self.pipe(self.path, self.texts)
        self.assertEqual([json.loads(answer)["id"] for answer in answers], list(range(1, len(self.texts) + 1)))
        self.assertEqual(self.pipe(self.path, []), [], "an empty partition")

    def test_records_that_cannot_be_classified_do_not_fail_the_task(self):
        model = self.save(tiny_model(pad_token=None), "unpadded.json")
        answers = self.pipe(model, ["a text", "", "another"])
        self.assertEqual(["error" in json.loads(answer) for answer in answers], [False, True, False])

    def test_a_model_that_cannot_be_read_does(self):
        with self.assertRaisesRegex(RuntimeError, "status 3"):
            self.pipe(self.folder / "missing.json", self.texts)


class ClickHouseFunctions(Recipe):
    """As an executable_pool does: it keeps a process, writes a block of rows, reads as many lines, and goes on; at the
    end it closes the input and waits for the process to end."""

    def functions(self):
        root = ElementTree.parse(RECIPES / "clickhouse_functions.xml").getroot()
        return {function.findtext("name"): function for function in root.findall("function")}

    def start(self, name):
        function = self.functions()[name]
        self.assertEqual(function.findtext("type"), "executable_pool")
        self.assertEqual(function.findtext("format"), "TabSeparated")
        self.assertEqual(function.findtext("send_chunk_header"), "false")
        words = shlex.split(function.findtext("command"))
        self.assertEqual(words[0], "bytecnn")
        words = [PROGRAM, *(str(self.path) if word == "model.json" else word for word in words[1:])]
        process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=CLEAN_ENVIRONMENT)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process

    @staticmethod
    def escaped(text):
        for character, letter in (("\\", "\\\\"), ("\n", "\\n"), ("\t", "\\t"), ("\r", "\\r"), ("\0", "\\0"), ("\b", "\\b"),
                                  ("\f", "\\f")):
            text = text.replace(character, letter)
        return text.encode()

    def block(self, process, texts):
        """Writes one block and reads its answers, without closing anything."""
        writer = threading.Thread(target=lambda: (process.stdin.write(b"".join(self.escaped(t) + b"\n" for t in texts)),
                                                  process.stdin.flush()))
        writer.start()
        answers, deadline = b"", time.monotonic() + 30
        while answers.count(b"\n") < len(texts):
            self.assertTrue(select.select([process.stdout], [], [], max(0, deadline - time.monotonic()))[0], "no answer")
            answers += os.read(process.stdout.fileno(), 1 << 16)
        writer.join(30)
        lines = answers.split(b"\n")
        self.assertEqual(lines.pop(), b"", "no byte more than the answers")
        return lines

    def test_blocks_of_any_size_are_answered_while_the_process_stays(self):
        texts = [text + "\n\ttabs \\ and backslashes\0" for text in self.texts]
        expected = self.classify(self.path, "--input", "nul", "--output", "label",
                                 stdin=b"".join(t.replace("\0", "").encode() + b"\0" for t in texts))
        # The same texts as the NUL-separated ones, which cannot hold the zero byte.
        texts = [text.replace("\0", "") for text in texts]
        process = self.start("label_of")
        answers, begin = [], 0
        for size in (1, 2, 1000, 1, 64, 3000):
            answers += self.block(process, texts[begin:begin + size])
            begin += size
        self.assertEqual([answer.decode() for answer in answers], expected[:begin])
        process.stdin.close()
        self.assertEqual(process.wait(10), 0)

    def test_scores(self):
        process = self.start("score_of")
        scores = [float(score) for score in self.block(process, ["a", "b\nc", ""])]
        self.assertEqual(scores, [r["score"] for r in self.classify_json(self.path, "--text", "a", "--text", "b\nc",
                                                                        "--text", "")])
        process.stdin.close()
        self.assertEqual(process.wait(10), 0)


if __name__ == "__main__":
    unittest.main()
