"""Protects the habits that keep files readable: a purpose on top, a size that fits a sitting."""

import re
import unittest

from tests.layout.source_tree import ROOT, tracked

MAX_LINES = 400
MAX_TEST_LINES = 650  # a test file is a list of cases, read one at a time


def limit(path) -> int:
    return MAX_TEST_LINES if path.parts[0] == "tests" else MAX_LINES


class FilesTest(unittest.TestCase):
    def test_files_open_with_what_they_are(self):
        opening = {".h": r"//", ".cc": r"//", ".py": r'"""', ".sh": r"#!.*\n#|# "}
        wrong = [str(p) for p in tracked(*opening)
                 if p.name != "__init__.py"
                 and not re.match(opening[p.suffix], (ROOT / p).read_text())]
        self.assertEqual(wrong, [])

    def test_no_file_outgrows_a_sitting(self):
        wrong = [f"{p}: {n} lines" for p in tracked(".h", ".cc", ".py", ".sh")
                 if (n := len((ROOT / p).read_text().splitlines())) > limit(p)]
        self.assertEqual(wrong, [])

    def test_the_sizes_are_documented(self):
        text = (ROOT / "docs/contributing.md").read_text()
        self.assertIn(f"of more than {MAX_LINES} lines, or {MAX_TEST_LINES} of tests, fails", text)
