"""The results themselves: logits, scores and labels of every kind of model."""
import unittest

from program import ProgramTest, bytecnn, logits_of, scores_of, tiny_model

TEXTS = [b"", b"a", b"ab", b"hello world", b"\x00\x00", b"\xff\xfe\x80", b"fifteen bytes..", b"sixteen bytes...",
         b"seventeen bytes..", b"x" * 1000]


class Results(ProgramTest):
    def files(self):
        return [self.write(f"input{i}", text) for i, text in enumerate(TEXTS)]

    def check_model(self, model):
        records = self.classify_json(self.save(model), *self.files())
        self.assertEqual(len(records), len(TEXTS))
        for record, text in zip(records, TEXTS):
            logits = logits_of(model, text)
            self.assert_close(record["logits"], logits)
            self.assert_close(record["scores"], scores_of(model, logits))
        return records

    def test_a_binary_model_gives_the_probability_of_its_second_label(self):
        for record in self.check_model(tiny_model(labels=["safe", "toxic"])):
            self.assertEqual(record["score"], record["scores"][0])
            self.assertEqual(record["label"], "toxic" if record["score"] >= 0.5 else "safe")
            self.assertNotIn("labels", record)

    def test_the_threshold_of_a_binary_model_decides(self):
        text = self.write("text", "hello")
        score = self.classify_json(self.save(tiny_model()), text)[0]["score"]
        below, above = max(0.0, score - 0.01), min(1.0, score + 0.01)
        self.assertEqual(self.classify_json(self.save(tiny_model(threshold=below)), text)[0]["label"], "1")
        self.assertEqual(self.classify_json(self.save(tiny_model(threshold=above)), text)[0]["label"], "0")

    def test_a_softmax_model_gives_its_best_label(self):
        names = ["en", "de", "日本語"]
        for record in self.check_model(tiny_model(outputs=3, output="softmax", labels=names)):
            best = max(range(3), key=lambda i: record["scores"][i])
            self.assertEqual(record["label"], names[best])
            self.assertEqual(record["score"], record["scores"][best])

    def test_a_softmax_model_below_its_threshold_is_uncertain(self):
        path = self.save(tiny_model(outputs=3, output="softmax", threshold=0.9999, bias=[0.0, 0.0, 0.0]))
        record = self.classify_json(path, "--text", "hello")[0]
        self.assertLess(record["score"], 0.9999, "the test needs an unsure model")
        self.assertIsNone(record["label"])
        self.assertEqual(self.classify(path, "--text", "hello", "--output", "label"), ["uncertain"])
        self.assertTrue(self.classify(path, "--text", "hello")[0].startswith("uncertain "))

    def test_a_multi_label_model_lists_every_label_that_holds(self):
        names = ["a", "b", "c", "d"]
        counts = set()
        for record in self.check_model(tiny_model(outputs=4, labels=names)):
            held = [name for name, score in zip(names, record["scores"]) if score >= 0.5]
            counts.add(len(held))
            self.assertEqual(record["labels"], held)
            self.assertEqual(record["label"], names[max(range(4), key=lambda i: record["scores"][i])])
        self.assertNotEqual(counts, {1}, "the test needs inputs with several labels or none")

    def test_an_input_that_is_too_short_for_an_unpadded_model_is_an_error_record(self):
        model = tiny_model(pad_token=None)
        model["architecture"]["conv_layers"][0]["padding"] = [0, 0]
        records = self.classify_json(self.save(model), stdin=b"long enough\nab\nlong again\n", status=1)
        self.assertEqual([sorted(record) for record in records][1], ["error", "id"])
        self.assertIn("short", records[1]["error"])
        self.assertIn("logits", records[0])
        self.assertIn("logits", records[2])

    def test_every_instruction_set_gives_the_same_logits(self):
        model = tiny_model(outputs=3, output="softmax")
        path = self.save(model)
        tried = 0
        for isa in ("reference", "sse2", "avx2", "avx512", "neon64"):
            done = bytecnn("classify", path, "--text", "hello", "--output", "jsonl", env={"BYTECNN_FORCE_ISA": isa})
            if done.returncode == 2:
                self.assertIn(isa, done.stderr.decode())
                continue
            record = self.classify_json(path, "--text", "hello", env={"BYTECNN_FORCE_ISA": isa})[0]
            self.assert_close(record["logits"], logits_of(model, b"hello"))
            tried += 1
        self.assertGreaterEqual(tried, 2, "the reference and at least one engine")

    def test_the_number_of_threads_changes_nothing(self):
        path = self.save(tiny_model())
        lines = b"".join(b"line %d of many\n" % i for i in range(5000))
        one = self.classify(path, "--output", "jsonl", "--threads", 1, stdin=lines)
        self.assertEqual(len(one), 5000)
        self.assertEqual(one, self.classify(path, "--output", "jsonl", "--threads", 3, stdin=lines))
        self.assertEqual(one, self.classify(path, "--output", "jsonl", stdin=lines))


if __name__ == "__main__":
    unittest.main()
