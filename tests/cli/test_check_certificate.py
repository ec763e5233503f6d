"""`bytecnn check --certificate`: it holds for the model and the machine that were verified, and says what differs."""
import copy
import json
import re
import unittest

from certificate import certificate_of, sealed
from program import ProgramTest, bytecnn, tiny_model

INPUTS = [b"", b"a", b"hello world", b"\xff" * 40]
VERSION = re.search(r"\d+\.\d+\.\d+", bytecnn("--version").stdout.decode()).group()


class CheckCertificate(ProgramTest):
    def setUp(self):
        super().setUp()
        self.model = tiny_model(outputs=2, output="softmax", labels=["one", "two"])
        golden = self.save({**self.model, "golden": [{"input_hex": "", "logits": [0.0, 0.0]}]}, "golden.json")
        report = json.loads(bytecnn("check", golden, "--json").stdout)
        self.sets = [engine["isa"] for engine in report["engines"] if engine["isa"] != "reference"]
        self.certificate = self.certify()

    def certify(self, sets=None, version=VERSION):
        path = self.save(self.model)
        return certificate_of(self.model, path.read_bytes(), self.sets if sets is None else sets, version, INPUTS)

    def check(self, model=None, certificate=None, *arguments, env=None):
        path = self.save(self.model if model is None else model)
        certified = self.write("certificate.json",
                               json.dumps(self.certificate if certificate is None else certificate, indent=1))
        return bytecnn("check", path, "--certificate", certified, *arguments, env=env)

    def findings(self, *given, status, env=None):
        """(subject, verdict) -> messages, of a check that ends with `status`."""
        done = self.check(*given, "--json", env=env) if len(given) == 2 else self.check(
            *(given + (None, None))[:2], "--json", env=env)
        self.assertEqual(done.returncode, status, done.stdout.decode() + done.stderr.decode())
        report = json.loads(done.stdout)["certificate"]
        self.assertEqual(report["passed"], status == 0)
        found = {}
        for finding in report["findings"]:
            found.setdefault((finding["subject"], finding["verdict"]), []).append(finding["message"])
        return found

    def test_holds_for_what_was_verified(self):
        done = self.check()
        self.assertEqual((done.returncode, done.stderr), (0, b""), done.stdout.decode())
        text = done.stdout.decode()
        self.assertIn("The certificate holds", text)
        self.assertIn("byte for byte", text)
        self.assertNotIn("FAILED", text)
        report = json.loads(self.check(None, None, "--json").stdout)["certificate"]
        self.assertEqual(report["inputs"], len(INPUTS))
        self.assertEqual([engine["isa"] for engine in report["engines"]], [*self.sets, "reference"])

    def test_a_changed_description_is_noted_and_holds(self):
        model = copy.deepcopy(self.model)
        model["model_info"]["name"] = "renamed"
        found = self.findings(model, status=0)
        self.assertIn("only its description", found["model", "note"][0])

    def test_a_changed_weight_is_named(self):
        model = copy.deepcopy(self.model)
        model["weights"]["conv1_weight"][2][1][0] += 0.25
        found = self.findings(model, status=1)
        self.assertEqual(found["model", "FAILED"], ["conv1_weight[2] holds other numbers (1 of 4 rows differ)"])

    def test_a_changed_architecture_threshold_or_label_is_named(self):
        for change, message in (
                (lambda m: m["architecture"].update(pooling="max"), "pooling: avg_max when it was certified, max now"),
                (lambda m: m["model_info"].update(threshold=0.75), "threshold: none when it was certified, 0.75 now"),
                (lambda m: m["model_info"].update(labels=["two", "one"]), "labels: ")):
            model = copy.deepcopy(self.model)
            change(model)
            messages = self.findings(model, status=1)["model", "FAILED"]
            self.assertEqual(len(messages), 1)
            self.assertIn(message, messages[0])

    def test_another_model_of_other_shapes_is_no_crash(self):
        messages = self.findings(tiny_model(outputs=3, output="softmax"), status=1)["model", "FAILED"]
        self.assertIn("outputs: 2 when it was certified, 3 now", messages)
        self.assertIn("output_weight has the shape [3, 5] instead of [2, 5]", messages)

    def test_another_version_fails_unless_it_is_accepted(self):
        other = self.certify(version="0.0.1")
        self.assertIn("verified by bytecnn 0.0.1", self.findings(None, other, status=1)["version", "FAILED"][0])
        done = self.check(None, other, "--accept-version")
        self.assertEqual(done.returncode, 0, done.stdout.decode())
        self.assertEqual(bytecnn("check", "model.json", "--accept-version").returncode, 2)

    def test_an_instruction_set_that_was_not_verified_fails_where_it_is_used(self):
        if len(self.sets) < 2:
            self.skipTest("this machine has one instruction set")
        other = self.certify(sets=self.sets[1:])
        found = self.findings(None, other, status=1)
        self.assertIn(f"{self.sets[0]}, which this machine uses, was not verified", found["instruction_set", "FAILED"][0])
        found = self.findings(None, other, status=0, env={"BYTECNN_FORCE_ISA": self.sets[1]})
        self.assertIn(f"{self.sets[0]} was not verified", found["instruction_set", "note"][0])

    def test_recorded_logits_that_do_not_come_out_fail(self):
        self.certificate["cases"][2]["logits"][1] += 0.01
        done = self.check(None, sealed(self.certificate))
        self.assertEqual(done.returncode, 1)
        self.assertIn("FAILED on input 3", done.stdout.decode())

    def test_a_failed_verification_is_refused_and_its_stages_are_named(self):
        self.certificate["passed"] = False
        self.certificate["report"]["stages"][1].update(passed=False, worst={"difference": 0.5})
        found = self.findings(None, sealed(self.certificate), status=1)
        self.assertIn("failed: fold", found["verdict", "FAILED"][0])

    def test_a_loose_tolerance_is_noted(self):
        for stage in self.certificate["report"]["stages"]:
            stage["tolerance"] = 0.5
        found = self.findings(None, sealed(self.certificate), status=0)
        self.assertIn("looser than the usual", found["tolerance", "note"][0])

    def test_altered_and_contradictory_certificates_are_refused(self):
        altered = copy.deepcopy(self.certificate)
        altered["report"]["scale"] = 7.5
        self.assert_error(self.check(None, altered), 3, "certificate.json: /seal", "altered")
        failed_stage = copy.deepcopy(self.certificate)
        failed_stage["report"]["stages"][1].update(passed=False)
        self.assert_error(self.check(None, sealed(failed_stage)), 3, "contradicts itself", "fold")
        beyond = copy.deepcopy(self.certificate)
        beyond["report"]["stages"][2]["worst"]["difference"] = 0.5
        self.assert_error(self.check(None, sealed(beyond)), 3, "contradicts itself", "engine")
        claimed = copy.deepcopy(self.certificate)
        claimed["instruction_sets"].append("avx1024")
        self.assert_error(self.check(None, sealed(claimed)), 3, "avx1024")
        without = copy.deepcopy(self.certificate)
        without["report"]["stages"].pop(0)
        self.assert_error(self.check(None, sealed(without)), 3, "without the stage 'weights'")

    def test_what_is_no_certificate_is_an_error_with_its_place(self):
        for content, words in ((b"", ["not JSON"]), (b"[]", ["not a certificate"]), (b"{}", ["--report FILE.json' writes it: key 'format' not found"]),
                               (self.save(self.model).read_bytes(), ["/format", "bytecnn-certificate"])):
            path = self.write("certificate.json", content)
            self.assert_error(bytecnn("check", self.save(self.model), "--certificate", path), 3, "certificate.json", *words)
        newer = copy.deepcopy(self.certificate)
        newer["format_version"] = 2
        self.assert_error(self.check(None, sealed(newer)), 4, "/format_version")
        for key in self.certificate:
            missing = {other: value for other, value in self.certificate.items() if other != key}
            if key not in ("seal", "assumptions"):
                self.assert_error(self.check(None, sealed(missing)), 3, "certificate.json", key)
        wrong = copy.deepcopy(self.certificate)
        wrong["cases"][0]["input_hex"] = "4x"
        self.assert_error(self.check(None, sealed(wrong)), 3, "not hexadecimal")
        wrong["cases"][0] = {**self.certificate["cases"][0], "logits": ["many"]}
        self.assert_error(self.check(None, sealed(wrong)), 3, "/cases/0/logits/0")
        self.assert_error(bytecnn("check", self.save(self.model), "--certificate", self.folder / "absent"), 3, "absent")


if __name__ == "__main__":
    unittest.main()
