"""`bytecnn check` re-runs the golden vectors: it passes where they hold and fails where one does not."""
import json
import unittest

from program import ProgramTest, bytecnn, logits_of, tiny_model

INPUTS = [b"", b"a", b"hello world", b"\xff" * 40]


def golden_model(error=0.0):
    """A model with golden vectors; the last logit of the last one is wrong by `error`."""
    model = tiny_model(outputs=2, output="softmax")
    model["golden"] = [{"input_hex": text.hex(), "logits": logits_of(model, text)} for text in INPUTS]
    model["golden"][-1]["logits"][-1] += error
    return model


class Check(ProgramTest):
    def check(self, model, *arguments):
        return bytecnn("check", self.save(model), *arguments)

    def test_right_vectors_hold_on_every_instruction_set(self):
        done = self.check(golden_model())
        self.assertEqual((done.returncode, done.stderr), (0, b""))
        text = done.stdout.decode()
        self.assertIn("4 inputs", text)
        self.assertIn("reference", text)
        self.assertNotIn("FAILED", text)

    def test_a_wrong_vector_fails_everywhere_and_is_named(self):
        scale = max(1, *(abs(logit) for vector in golden_model()["golden"] for logit in vector["logits"]))
        self.assertEqual(self.check(golden_model(0.5e-5 * scale)).returncode, 0, "inside the tolerance")
        done = self.check(golden_model(3e-5 * scale))
        self.assertEqual(done.returncode, 1)
        engines = [line for line in done.stdout.decode().split("\n") if "FAILED" in line]
        self.assertGreaterEqual(len(engines), 2)
        for line in engines:
            self.assertIn("input 4", line)

    def test_json(self):
        for model, passed in ((golden_model(), True), (golden_model(0.5), False)):
            done = self.check(model, "--json")
            self.assertEqual(done.returncode, 0 if passed else 1)
            report = json.loads(done.stdout)
            self.assertEqual((report["passed"], report["golden"]), (passed, 4))
            self.assertIn("reference", [engine["isa"] for engine in report["engines"]])
            for engine in report["engines"]:
                self.assertEqual(engine["passed"], passed)
                if not passed:
                    self.assertAlmostEqual(engine["worst"], 0.5, places=4)

    def test_fixed_point_is_held_to_what_it_promises(self):
        model = golden_model()
        int32 = json.loads(self.check(model, "--arithmetic", "int32", "--json").stdout)
        self.assertEqual((int32["passed"], int32["arithmetic"]), (True, "int32"))
        float32 = 1e-5 * int32["scale"]
        self.assertTrue(float32 < int32["tolerance"] < 1.1 * float32, "float's tolerance and what 25 bits can cost")
        engines = int32["engines"]
        self.assertNotIn("reference", [engine["isa"] for engine in engines])
        self.assertEqual(len({engine["worst"] for engine in engines}), 1, "the same bits everywhere")
        int16 = json.loads(self.check(model, "--arithmetic", "int16", "--json").stdout)
        self.assertTrue(int16["passed"])
        self.assertGreater(int16["tolerance"], int32["tolerance"])
        # 4095 units instead of 2^25 - 1: the proven cost is as many times larger.
        ratio = (int16["tolerance"] - float32) / (int32["tolerance"] - float32)
        self.assertTrue(4000 < ratio < 17000, ratio)
        self.assertEqual(self.check(golden_model(0.5), "--arithmetic", "int16").returncode, 1)
        self.assertEqual(self.check(golden_model(1e-3), "--arithmetic", "int32").returncode, 1)

    def test_arithmetic_that_a_model_does_not_have_is_unsupported_with_and_without_golden_vectors(self):
        for golden in ([], [{"input_hex": "61", "logits": [0.0]}]):
            model = tiny_model()
            model["architecture"]["conv_layers"][0]["activation"] = "gelu"
            model["golden"] = golden
            done = self.check(model, "--arithmetic", "int32")
            self.assertEqual((done.returncode, done.stdout), (4, b""), done.stderr)
            self.assertIn(b"has no int32 form", done.stderr)

    def test_a_model_without_golden_vectors_says_so(self):
        done = self.check(tiny_model())
        self.assertEqual((done.returncode, done.stdout), (0, b""))
        self.assertIn(b"no golden vectors", done.stderr)


if __name__ == "__main__":
    unittest.main()
