"""`bytecnn bench`: what it measures, and the forms in which it tells."""
import json
import re
import unittest
import xml.etree.ElementTree as ElementTree

from program import ProgramTest, bytecnn, tiny_model

SVG = "{http://www.w3.org/2000/svg}"


class Bench(ProgramTest):
    def setUp(self):
        super().setUp()
        self.path = self.save(tiny_model(max_len=64))

    def bench(self, *arguments, env=None, stdin=b"", threads=2):
        done = bytecnn("bench", self.path, "--seconds", "0.01", "--threads", threads, *arguments, env=env, stdin=stdin)
        self.assertEqual(done.returncode, 0, done.stderr)
        for line in done.stderr.decode().splitlines():
            self.assertIn("the machine is busy", line)
        return done.stdout.decode()

    def results(self, *arguments, **options):
        return json.loads(self.bench("--json", *arguments, **options))

    def test_every_instruction_set_on_every_length(self):
        supported = json.loads(bytecnn("info", self.path, "--json").stdout)["supported_isas"]
        results = self.results()
        measured = [isa for isa in supported if isa != "reference"] or ["reference"]
        self.assertEqual([(cell["shortest"], cell["isa"]) for cell in results["latency_us"]],
                         [(length, isa) for length in (16, 40, 64) for isa in measured])
        for cell in results["latency_us"]:
            self.assertEqual(cell["shortest"], cell["longest"])
            self.assertGreater(cell["calls"], 0)
            self.assertLessEqual(cell["min"], cell["p50"])
            self.assertLessEqual(cell["p50"], cell["p99"])

    def test_fixed_point(self):
        results = self.results("--arithmetic", "int32", "--lengths", "16")
        self.assertEqual(results["arithmetic"], "int32")
        self.assertIn("thread, int16, in", self.bench("--arithmetic", "int16", "--lengths", "16"))
        self.assertEqual(bytecnn("bench", self.path, "--arithmetic", "int32", "--isa", "reference").returncode, 4)

    def test_throughput_on_one_thread_and_on_all(self):
        results = self.results()
        self.assertEqual([one["threads"] for one in results["throughput"]], [1, 2])
        mean = results["texts"]["bytes"] / results["texts"]["count"]
        for one in results["throughput"]:
            self.assertGreater(one["texts_per_second"], 0)
            self.assertAlmostEqual(one["bytes_per_second"] / one["texts_per_second"], mean, places=6)
        self.assertEqual([one["threads"] for one in self.results(threads=1)["throughput"]], [1])

    def test_latency_grows_with_the_length(self):
        cells = self.results("--lengths", "1,64")["latency_us"]
        fastest = {cell["shortest"]: cell["min"] for cell in cells if cell["isa"] == cells[0]["isa"]}
        self.assertLess(fastest[1], fastest[64] * 2)  # a busy neighbour may take half of the processor

    def test_a_corpus_is_told_apart_by_length(self):
        corpus = self.write("corpus", b"\nab\nabc\nabcd\n" + b"x" * 50 + b"\n" + b"y" * 500)
        results = self.results("--corpus", corpus, "--isa", "reference")
        self.assertEqual([(cell["shortest"], cell["longest"]) for cell in results["latency_us"]],
                         [(0, 0), (2, 3), (4, 4), (50, 50), (64, 64)])
        self.assertEqual(results["texts"], {"source": str(corpus), "count": 6, "bytes": 2 + 3 + 4 + 50 + 64})
        self.assertEqual(self.results("--corpus", "-", stdin=b"a\nb")["texts"]["count"], 2)

    def test_it_says_what_machine_it_ran_on(self):
        machine = self.results()["machine"]
        for key in ("processor", "system", "compiler", "bytecnn"):
            self.assertTrue(machine[key], key)
        self.assertGreater(machine["memory_bytes"], 1 << 20)
        self.assertIn(machine["processor"], self.bench())

    def test_the_chart_for_people(self):
        text = self.bench("--lengths", "8,64")
        self.assertIn("Latency", text)
        self.assertIn("Throughput", text)
        self.assertIn("━", text)
        rows = [line.split() for line in text.splitlines()]
        self.assertIn("8", [row[0] for row in rows if row])
        self.assertIn("64", [row[0] for row in rows if row])

    def test_the_picture_is_an_svg_with_a_line_for_each_instruction_set(self):
        plot = self.folder / "plot.svg"
        results = self.results("--plot", plot)
        root = ElementTree.parse(plot).getroot()
        self.assertEqual(root.tag, SVG + "svg")
        isas = {cell["isa"] for cell in results["latency_us"]}
        self.assertEqual(len(root.findall(SVG + "polyline")), len(isas))
        texts = {"".join(text.itertext()) for text in root.findall(SVG + "text")}
        self.assertLessEqual(isas | {"16", "40", "64", "bytes a text"}, texts)
        self.assertEqual(sorted(path.name for path in self.folder.iterdir()), ["model.json", "plot.svg"])

    def test_numbers_beside_the_axes_have_no_exponents(self):
        self.path = self.save(tiny_model(max_len=1 << 16))  # milliseconds a text, on any machine
        plot = self.folder / "plot.svg"
        corpus = self.write("corpus.txt", "x" * 64 + "\n" + "y" * 8192 + "\n")
        chart = self.bench("--corpus", corpus, "--plot", plot, env={"BYTECNN_FORCE_ISA": "reference"})
        texts = [text.text for text in ElementTree.parse(plot).getroot().findall(SVG + "text")]
        self.assertTrue([text for text in texts if re.fullmatch(r"\d+,000", text)], texts)
        for text in [*texts, chart]:
            self.assertIsNone(re.search(r"\de[+-]?\d", text), text)

    def test_a_forced_instruction_set_is_the_one_measured(self):
        results = self.results(env={"BYTECNN_FORCE_ISA": "reference"})
        self.assertEqual({cell["isa"] for cell in results["latency_us"]}, {"reference"})

    def test_errors_say_what_is_wrong(self):
        empty = self.write("empty", b"")
        for arguments, status, words in [
                (["--corpus", self.folder / "missing"], 3, ["missing", "No such file"]),
                (["--corpus", empty], 3, ["empty", "no line"]),
                (["--isa", "mmx"], 2, ["mmx", "avx2"]),
                (["--lengths", "8", "--corpus", empty], 2, ["--lengths", "--corpus"]),
                (["--seconds", "0"], 2, ["--seconds"]),
                (["--plot", self.folder / "no" / "plot.svg"], 1, ["plot.svg", "No such file"])]:
            with self.subTest(arguments):
                done = bytecnn("bench", self.path, "--seconds", "0.001", *arguments)
                self.assertEqual(done.returncode, status, done.stderr)
                for word in words:
                    self.assertIn(word, done.stderr.decode())
                self.assertEqual(done.stdout, b"")


if __name__ == "__main__":
    unittest.main()
