"""`bytecnn classify --fail-on LABEL[:SCORE]`: an exit status for scripts."""
import unittest

from program import ProgramTest, bytecnn, tiny_model

LINES = [f"line {i} {'x' * (i % 13)}".encode() for i in range(40)]
STDIN = b"\n".join(LINES) + b"\n"


class FailOn(ProgramTest):
    def run_with(self, model, *rules, stdin=STDIN, status):
        arguments = [argument for rule in rules for argument in ("--fail-on", rule)]
        done = bytecnn("classify", model, "--output", "score", *arguments, stdin=stdin)
        self.assertEqual(done.returncode, status, done.stderr)
        self.assertEqual(done.stdout.count(b"\n"), stdin.count(b"\n"), "all records are written whatever was found")
        return done.stderr.decode()

    def test_the_label_of_a_record(self):
        model = self.save(tiny_model(outputs=3, output="softmax", labels=["red", "green", "blue"]))
        labels = self.classify(model, "--output", "label", stdin=STDIN)
        for label in ("red", "green", "blue"):
            message = self.run_with(model, label, status=1 if label in labels else 0)
            if label in labels:
                count = labels.count(label)
                self.assertIn(f"--fail-on {label}: {count} record", message)
                self.assertTrue(count == 1 or f"the first is {labels.index(label) + 1}\n" in message, message)

    def test_a_score_is_a_threshold_whatever_the_decision(self):
        model = self.save(tiny_model(outputs=3, output="softmax", labels=["red", "green", "blue"]))
        best = max(record["scores"][1] for record in self.classify_json(model, stdin=STDIN))
        self.run_with(model, f"green:{best}", status=1)
        self.run_with(model, f"green:{min(1, best * 1.001)}", status=0)
        self.run_with(model, "green:0", status=1)
        self.run_with(model, f"green:{min(1, best * 1.001)}", f"green:{best}", status=1)

    def test_both_labels_of_a_binary_model(self):
        model = self.save(tiny_model(labels=["safe", "toxic"]))
        scores = [record["score"] for record in self.classify_json(model, stdin=STDIN)]
        self.run_with(model, f"toxic:{max(scores)}", status=1)
        self.run_with(model, f"toxic:{max(scores) * 1.001}", status=0)
        self.run_with(model, f"safe:{(1 - min(scores)) * 0.999}", status=1)
        self.run_with(model, f"safe:{min(1, (1 - min(scores)) * 1.001)}", status=0)
        self.run_with(model, "toxic", status=1 if max(scores) >= 0.5 else 0)
        self.run_with(model, "safe", status=1 if min(scores) < 0.5 else 0)

    def test_any_label_of_a_multi_label_model(self):
        model = self.save(tiny_model(outputs=3, labels=["a", "b", "c"], threshold=0.5))
        records = self.classify_json(model, stdin=STDIN)
        for label in ("a", "b", "c"):
            found = sum(label in record["labels"] for record in records)
            self.run_with(model, label, status=1 if found else 0)

    def test_a_label_may_hold_colons(self):
        model = self.save(tiny_model(outputs=2, output="softmax", labels=["ns:one", "ns:two:0.5"]))
        labels = self.classify(model, "--output", "label", stdin=STDIN)
        for label in ("ns:one", "ns:two:0.5"):
            self.run_with(model, label, status=1 if label in labels else 0)
        self.run_with(model, "ns:one:0", status=1)

    def test_an_unknown_label_or_a_broken_score_is_a_usage_error(self):
        model = self.save(tiny_model(labels=["safe", "toxic"]))
        for rule, words in (("toxik", ["toxic", "did you mean"]), ("toxic:high", ["score"]), ("toxic:1.5", ["0 to 1"]),
                            ("toxic:", ["score"]), ("", ["safe, toxic"]), ("toxic:nan", ["score"])):
            with self.subTest(rule):
                self.assert_error(bytecnn("classify", model, "--fail-on", rule, "--text", "x"), 2, "--fail-on", *words)

    def test_nothing_to_find_in_no_input(self):
        self.run_with(self.save(tiny_model()), "1:0", stdin=b"", status=0)


if __name__ == "__main__":
    unittest.main()
