"""Where inputs come from: files, lines, NUL-separated records, JSON Lines, the command line."""
import json
import unittest

from program import ProgramTest, bytecnn, logits_of, tiny_model


class Inputs(ProgramTest):
    def setUp(self):
        super().setUp()
        self.model = tiny_model()
        self.path = self.save(self.model)

    def assert_inputs(self, records, ids, texts):
        self.assertEqual([record["id"] for record in records], ids)
        for record, text in zip(records, texts):
            self.assert_close(record["logits"], logits_of(self.model, text))


class Files(Inputs):
    def test_a_file_is_one_input_newlines_and_all(self):
        content = b"two\nlines\n"
        file = self.write("file", content)
        self.assert_inputs(self.classify_json(self.path, file), [str(file)], [content])

    def test_files_come_out_in_the_order_in_which_they_were_named(self):
        files = [self.write(name, name) for name in ("c", "a", "b")]
        self.assert_inputs(self.classify_json(self.path, *files), [str(file) for file in files], [b"c", b"a", b"b"])

    def test_an_empty_file_is_an_input(self):
        file = self.write("empty", b"")
        self.assert_inputs(self.classify_json(self.path, file), [str(file)], [b""])

    def test_a_file_that_cannot_be_read_is_an_error_record_and_the_rest_goes_on(self):
        good = self.write("good", "good")
        missing = self.folder / "missing"
        records = self.classify_json(self.path, missing, self.folder, good, status=1)
        self.assertEqual([record["id"] for record in records], [str(missing), str(self.folder), str(good)])
        self.assertIn("No such file", records[0]["error"])
        self.assertIn("a folder", records[1]["error"])
        self.assert_close(records[2]["logits"], logits_of(self.model, b"good"))

    def test_a_file_may_be_read_by_lines(self):
        file = self.write("lines", "one\ntwo\n")
        records = self.classify_json(self.path, file, "--input", "lines")
        self.assert_inputs(records, [f"{file}:1", f"{file}:2"], [b"one", b"two"])

    def test_a_missing_file_of_lines_is_one_error_record(self):
        missing = self.folder / "missing"
        records = self.classify_json(self.path, missing, "--input", "lines", status=1)
        self.assertEqual([sorted(record) for record in records], [["error", "id"]])
        self.assertEqual(records[0]["id"], str(missing))

    def test_standard_input_may_stand_among_files(self):
        file = self.write("file", "file")
        records = self.classify_json(self.path, file, "-", stdin=b"x\ny\n")
        self.assert_inputs(records, [str(file), "-:1", "-:2"], [b"file", b"x", b"y"])

    def test_standard_input_may_be_one_input(self):
        self.assert_inputs(self.classify_json(self.path, "-", "--input", "whole", stdin=b"x\ny\n"), ["-"], [b"x\ny\n"])
        self.assert_inputs(self.classify_json(self.path, "-", "--input", "whole", stdin=b""), ["-"], [b""])

    def test_a_name_that_is_not_utf8_does_not_break_the_json(self):
        name = bytes(self.folder) + b"/\xff\"\n"
        with open(name, "wb") as file:
            file.write(b"text")
        done = bytecnn("classify", self.path, "--output", "jsonl", name.decode(errors="surrogateescape"))
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertTrue(json.loads(done.stdout)["id"].endswith("/\ufffd\"\n"))

    def test_more_files_than_fit_one_block(self):
        files = [self.write(f"f{i}", str(i)) for i in range(1500)]
        self.assert_inputs(self.classify_json(self.path, *files), [str(file) for file in files],
                           [str(i).encode() for i in range(1500)])


class Lines(Inputs):
    def test_nothing_named_means_lines_of_standard_input(self):
        self.assert_inputs(self.classify_json(self.path, stdin=b"one\ntwo\n"), [1, 2], [b"one", b"two"])
        self.assert_inputs(self.classify_json(self.path, "-", stdin=b"one\ntwo\n"), [1, 2], [b"one", b"two"])

    def test_the_last_line_may_lack_its_newline(self):
        self.assert_inputs(self.classify_json(self.path, stdin=b"one\ntwo"), [1, 2], [b"one", b"two"])

    def test_empty_lines_are_inputs(self):
        self.assert_inputs(self.classify_json(self.path, stdin=b"\n\nx\n\n"), [1, 2, 3, 4], [b"", b"", b"x", b""])

    def test_no_input_gives_no_record(self):
        self.assertEqual(self.classify_json(self.path, stdin=b""), [])

    def test_a_carriage_return_belongs_to_the_line(self):
        self.assert_inputs(self.classify_json(self.path, stdin=b"one\r\n"), [1], [b"one\r"])

    def test_zero_bytes_belong_to_the_line(self):
        self.assert_inputs(self.classify_json(self.path, stdin=b"o\0ne\n\0\n"), [1, 2], [b"o\0ne", b"\0"])

    def test_a_huge_line_is_cut_and_its_neighbours_are_not_harmed(self):
        huge = b"h" * (40 << 20)
        records = self.classify_json(self.path, stdin=b"before\n" + huge + b"\nafter\n" + huge)
        self.assert_inputs(records, [1, 2, 3, 4], [b"before", huge[:64], b"after", huge[:64]])


class NulSeparated(Inputs):
    def test_records_end_in_a_zero_byte_and_may_hold_newlines(self):
        records = self.classify_json(self.path, "--input", "nul", stdin=b"a\nb\0\0c")
        self.assert_inputs(records, [1, 2, 3], [b"a\nb", b"", b"c"])


class TabSeparated(Inputs):
    def test_the_first_cell_is_the_input_with_its_escapes_undone(self):
        lines = b"a\\nb\\tc\\\\d\\0\\q\tanother cell\n\nplain\nends in \\\n"
        records = self.classify_json(self.path, "--input", "tsv", stdin=lines)
        self.assert_inputs(records, [1, 2, 3, 4], [b"a\nb\tc\\d\0q", b"", b"plain", b"ends in \\"])


class Texts(Inputs):
    def test_texts_of_the_command_line(self):
        records = self.classify_json(self.path, "--text", "one", "--text", "", "--text=-dash", stdin=b"not read\n")
        self.assert_inputs(records, [1, 2, 3], [b"one", b"", b"-dash"])

    def test_texts_and_files(self):
        file = self.write("file", "file")
        records = self.classify_json(self.path, "--text", "one", file)
        self.assert_inputs(records, [1, str(file)], [b"one", b"file"])


class JsonLines(Inputs):
    def records(self, lines, *arguments, status=0):
        return self.classify_json(self.path, "-", "--input", "jsonl", *arguments, stdin=lines, status=status)

    def test_the_text_field_is_classified_as_utf8(self):
        lines = '{"text": "h\\u00e4llo"}\n{"text": "", "other": [1]}\n'.encode()
        self.assert_inputs(self.records(lines), [1, 2], ["hällo".encode(), b""])

    def test_another_field_or_a_pointer_may_be_named(self):
        self.assert_inputs(self.records(b'{"body": "x"}\n', "--field", "body"), [1], [b"x"])
        self.assert_inputs(self.records(b'{"a": {"b": ["x", "y"]}}\n', "--field", "/a/b/1"), [1], [b"y"])

    def test_an_id_is_handed_on(self):
        lines = b'{"id": "first", "text": "x"}\n{"id": 17, "text": "y"}\n{"id": null, "text": "z"}\n'
        self.assert_inputs(self.records(lines), ["first", 17, 3], [b"x", b"y", b"z"])

    def test_each_bad_record_is_an_error_record_in_its_place(self):
        lines = b'{"text": "x"}\n{broken\n[1]\n{"text": 5}\n{"id": 9, "body": "x"}\n\n{"text": "\xff"}\n{"text": "y"}\n'
        records = self.records(lines, status=1)
        self.assertEqual(len(records), 8)
        self.assertEqual(["error" in record for record in records], [False, True, True, True, True, True, True, False])
        self.assertIn("JSON", records[1]["error"])
        self.assertIn("object", records[2]["error"])
        self.assertIn("string", records[3]["error"])
        self.assertEqual(records[4]["id"], 9)
        self.assertIn("--field", records[4]["error"])
        self.assert_inputs([records[7]], [8], [b"y"])

    def test_deep_nesting_is_no_danger(self):
        deep = b"[" * 1000000 + b"]" * 1000000
        records = self.records(b'{"text": "x", "deep": ' + deep + b'}\n{"text": "y"}\n')
        self.assert_inputs(records, [1, 2], [b"x", b"y"])

    def test_bad_records_may_leave_the_exit_status_alone(self):
        self.assertIn("error", self.records(b"broken\n", "--no-fail", status=0)[0])

    def test_a_broken_pointer_is_a_usage_error(self):
        self.assert_error(bytecnn("classify", self.path, "-", "--input", "jsonl", "--field", "/a~7"), 2, "--field")


if __name__ == "__main__":
    unittest.main()
