"""`bytecnn classify -r`: every file under a folder, in one order, and nothing passed over in silence."""
import os
import unittest

from program import ProgramTest, bytecnn, logits_of, tiny_model


class Folders(ProgramTest):
    def setUp(self):
        super().setUp()
        self.model = tiny_model()
        self.path = self.save(self.model)
        self.tree = self.folder / "tree"
        for name in ("b/two", "b/one", "a/deep/er/file", "c", "B", "a.txt"):
            file = self.tree / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(name.encode())

    def names(self, *arguments, status=0):
        records = self.classify_json(self.path, "-r", self.tree, *arguments, status=status)
        return [os.path.relpath(record["id"], self.tree) for record in records], records

    def test_files_come_in_the_order_of_their_names_folder_by_folder(self):
        names, records = self.names()
        self.assertEqual(names, ["B", "a/deep/er/file", "a.txt", "b/one", "b/two", "c"])
        for name, record in zip(names, records):
            self.assert_close(record["logits"], logits_of(self.model, name.encode()))

    def test_folders_and_files_may_be_named_side_by_side(self):
        records = self.classify_json(self.path, "-r", self.tree / "c", self.tree / "b", self.tree / "B")
        self.assertEqual([record["id"][len(str(self.tree)) + 1:] for record in records], ["c", "b/one", "b/two", "B"])

    def test_a_slash_at_the_end_is_not_doubled(self):
        records = self.classify_json(self.path, "-r", f"{self.tree}/b/")
        self.assertEqual([record["id"] for record in records], [f"{self.tree}/b/one", f"{self.tree}/b/two"])

    def test_an_empty_folder_gives_no_record(self):
        (self.folder / "empty").mkdir()
        self.assertEqual(self.classify_json(self.path, "-r", self.folder / "empty"), [])

    def test_the_files_of_a_folder_may_be_read_by_lines(self):
        records = self.classify_json(self.path, "-r", self.tree / "b", "--input", "lines")
        self.assertEqual([record["id"] for record in records], [f"{self.tree}/b/one:1", f"{self.tree}/b/two:1"])

    def test_more_files_than_a_process_may_hold_open(self):
        many = self.folder / "many"
        many.mkdir()
        for i in range(1500):
            (many / f"{i:04}").write_bytes(b"x\ny\n")
        done = bytecnn("classify", self.path, "-r", many, "--input", "lines", "--output", "label")
        self.assertEqual((done.returncode, done.stdout.count(b"\n")), (0, 3000))

    def test_without_r_a_folder_is_an_error_record(self):
        records = self.classify_json(self.path, self.tree, status=1)
        self.assertIn("a folder", records[0]["error"])

    def test_a_pipe_that_lies_there_is_told_and_not_waited_for(self):
        os.mkfifo(self.tree / "pipe")
        names, records = self.names(status=1)
        self.assertEqual(names[-1], "pipe")
        self.assertIn("neither a file nor a folder", records[-1]["error"])

    @unittest.skipIf(os.geteuid() == 0, "root reads everything")
    def test_a_folder_that_cannot_be_read_is_told(self):
        (self.tree / "b").chmod(0)
        self.addCleanup((self.tree / "b").chmod, 0o700)
        names, records = self.names(status=1)
        self.assertIn("cannot read", records[names.index("b")]["error"])


class Links(Folders):
    def setUp(self):
        super().setUp()
        (self.tree / "link to c").symlink_to("c")
        (self.tree / "link to b").symlink_to("b")
        (self.tree / "a/deep/up").symlink_to("..")

    # The tests of the base class describe a tree without links.
    test_files_come_in_the_order_of_their_names_folder_by_folder = None
    test_a_pipe_that_lies_there_is_told_and_not_waited_for = None
    test_a_folder_that_cannot_be_read_is_told = None

    def test_a_link_to_a_file_is_read_one_to_a_folder_is_counted(self):
        done = bytecnn("classify", self.path, "-r", self.tree, "--output", "tsv")
        self.assertEqual(done.returncode, 0)
        names = [line.split("\t")[0] for line in done.stdout.decode().splitlines()]
        self.assertEqual([os.path.relpath(name, self.tree) for name in names],
                         ["B", "a/deep/er/file", "a.txt", "b/one", "b/two", "c", "link to c"])
        self.assertIn(b"2 links to folders were not followed; --follow does", done.stderr)

    def test_follow_enters_them_and_a_loop_is_an_error_record(self):
        names, records = self.names("--follow", status=1)
        self.assertEqual(names, ["B", "a/deep/er/file", "a/deep/up", "a.txt", "b/one", "b/two", "c", "link to b/one",
                                 "link to b/two", "link to c"])
        for name, record in zip(names, records):
            if name == "a/deep/up":
                self.assertIn("link back", record["error"])
            else:
                self.assertNotIn("error", record)

    def test_a_link_that_leads_nowhere_is_an_error_record(self):
        (self.tree / "d").symlink_to("nowhere")
        names, records = self.names(status=1)
        self.assertIn("cannot follow the link", records[names.index("d")]["error"])

    def test_follow_needs_r(self):
        self.assert_error(bytecnn("classify", self.path, self.tree, "--follow"), 2, "--follow", "--recursive")


if __name__ == "__main__":
    unittest.main()
