"""Protects the sum of all tests from programs that end well without having tested anything."""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[3]


class RunUnitTestsTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def sum_of(self, *programs: tuple[str, int]) -> subprocess.CompletedProcess:
        """What is made of programs with these outputs and exit codes; meson is a stand-in."""
        lines = [json.dumps({"name": f"program{i}", "stdout": output, "returncode": code,
                             "result": "OK", "duration": 1.0})
                 for i, (output, code) in enumerate(programs)]
        (self.folder / "log").write_text("\n".join(lines))
        meson = self.folder / "meson"
        meson.write_text(f'#!/bin/sh\nmkdir -p "{self.folder}/meson-logs"\n'
                         f'cp "{self.folder}/log" "{self.folder}/meson-logs/testlog.json"\n')
        meson.chmod(0o755)
        return subprocess.run(
            [sys.executable, ROOT / "tools/lib/run_unit_tests.py", self.folder],
            env={**os.environ, "PATH": f"{self.folder}:{os.environ['PATH']}"},
            capture_output=True, text=True, check=False)

    def assert_sum(self, closing: str, code: int, *programs: tuple[str, int]):
        done = self.sum_of(*programs)
        self.assertEqual(done.stdout.splitlines()[-1:], [closing], done.stdout + done.stderr)
        self.assertEqual(done.returncode, code)

    def test_programs_are_summed_up(self):
        self.assert_sum("5 passed, 0 failed", 0, ("x : OK\n2 passed, 0 failed\n", 0),
                        ("3 passed, 0 failed\n", 0))
        self.assert_sum("3 passed, 2 failed", 1, ("2 passed, 2 failed\n", 1),
                        ("1 passed, 0 failed\n", 0))

    def test_skipped_tests_are_told(self):
        self.assert_sum("3 passed, 0 failed, 4 skipped", 0, ("1 passed, 0 failed, 4 skipped\n", 0),
                        ("2 passed, 0 failed\n", 0))

    def test_a_program_without_its_closing_line_failed(self):
        for output in ("", "all is well\n", "7 passed\n", "so far 7 passed, 0 failed\n"):
            with self.subTest(output=output):
                self.assert_sum("1 passed, 1 failed", 1, ("1 passed, 0 failed\n", 0), (output, 0))

    def test_figures_and_long_tests_are_told(self):
        done = self.sum_of(("figures: 2 seeds\na: ok\nb: ok (2.5 s)\n2 passed, 0 failed\n", 0))
        self.assertEqual(done.stdout, "program0: 2 passed, 0 failed, 1.0 s\n"
                                      "  figures: 2 seeds\n  b: ok (2.5 s)\n2 passed, 0 failed\n")

    def test_an_exit_code_outweighs_the_closing_line(self):
        self.assert_sum("7 passed, 1 failed", 1, ("7 passed, 0 failed\n", 139))

    def test_no_program_at_all_failed(self):
        self.assert_sum("0 passed, 0 failed", 1)
