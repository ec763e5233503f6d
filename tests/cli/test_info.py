"""What `bytecnn info` tells about a model."""
import json
import unittest

from program import ProgramTest, bytecnn, tiny_model


class Info(ProgramTest):
    def info(self, model, *arguments, env=None):
        done = bytecnn("info", self.save(model), *arguments, env=env)
        self.assertEqual((done.returncode, done.stderr), (0, b""))
        return done.stdout.decode()

    def test_the_table_tells_name_size_labels_source_and_assumptions(self):
        text = self.info(tiny_model(labels=["safe", "toxic"], threshold=0.75))
        for words in ("tiny 1.2.3", "1,000", "87.50 %", "safe, toxic", "0.75", "up to 16 bytes", "token 0", "tiny.pth",
                      "ab" * 32, "2026-01-02", "default", "stated", "none"):
            self.assertIn(words, text)

    def test_the_table_shows_every_layer_with_its_weights(self):
        lines = self.info(tiny_model()).split("Layers")[1].split("What")[0].split("\n")
        for layer, words in {"embedding": ["256 → 3", "768"], "conv 1": ["3 → 4", "relu", "1 + 1", "40"],
                             "pooling": ["avg_max"], "dense 1": ["4 → 5", "25"], "output": ["5 → 1", "sigmoid", "6"]}.items():
            found = [line for line in lines if line.strip().startswith(layer)]
            self.assertEqual(len(found), 1, layer)
            for word in words:
                self.assertIn(word, found[0])

    def test_the_engine_is_told(self):
        self.assertIn("reference", self.info(tiny_model(), env={"BYTECNN_FORCE_ISA": "reference"}).split("Engine")[1])

    def test_fixed_point_states_its_error_and_refuses_what_it_does_not_cover(self):
        for arithmetic in ("int32", "int16"):
            text = self.info(tiny_model(), "--arithmetic", arithmetic)
            self.assertIn(f"arithmetic: {arithmetic}, off by ", text)
            self.assertNotIn("general loop", text)
            strided = tiny_model()
            strided["architecture"]["conv_layers"][0]["stride"] = 2
            self.assertIn("at most; the general loop", self.info(strided, "--arithmetic", arithmetic))
        path = self.save(tiny_model())
        reference = {"BYTECNN_FORCE_ISA": "reference"}
        self.assertEqual(bytecnn("info", path, "--arithmetic", "int32", env=reference).returncode, 4)
        self.assertEqual(bytecnn("info", path, "--arithmetic", "int8").returncode, 2)
        both = bytecnn("classify", path, "--text", "x" * 2000, "--arithmetic", "int32", "--strategy", "max")
        self.assertEqual(both.returncode, 0, both.stderr)
        scores = {bytecnn("classify", path, "--text", "hello", "--output", "jsonl", "--arithmetic", "int32",
                          env={"BYTECNN_FORCE_ISA": isa}).stdout
                  for isa in json.loads(self.info(tiny_model(), "--json"))["supported_isas"] if isa != "reference"}
        self.assertEqual(len(scores), 1)

    def test_many_labels_are_wrapped(self):
        labels = [f"label number {i}" for i in range(60)]
        text = self.info(tiny_model(outputs=60, output="softmax", labels=labels))
        for label in labels:
            self.assertIn(label, text)
        self.assertLess(max(map(len, text.split("\n"))), 100)

    def test_a_model_that_tells_little_is_shown_too(self):
        model = tiny_model(pad_token=None)
        model["model_info"] = {}
        self.assertIn("not padded", self.info(model))

    def test_text_from_the_file_cannot_harm_a_terminal(self):
        model = tiny_model(labels=["\x1b[2J", "ok"])
        model["model_info"].update(name="\x1b]0;x\x07", version="\n", source={"file": "\x1b[1m"}, assumed={"x": "\x1b[3m"})
        self.assertNotIn("\x1b", self.info(model))

    def test_json_holds_the_architecture_and_no_weights(self):
        model = tiny_model(labels=["safe", "toxic"])
        found = json.loads(self.info(model, "--json"))
        self.assertEqual(found["model_info"]["name"], "tiny")
        self.assertEqual(found["architecture"]["max_len"], 16)
        self.assertEqual(found["architecture"]["conv_layers"][0]["filters"], 4)
        self.assertEqual(found["labels"], ["safe", "toxic"])
        self.assertIn(found["isa"], found["supported_isas"])
        self.assertNotIn("weights", found)
        self.assertNotIn("golden", found)


if __name__ == "__main__":
    unittest.main()
