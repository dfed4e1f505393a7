"""Protects the bounded run from passing for nothing, and its findings from being lost: each names
the seed or the input that it came from, whoever finds it."""

import os
import pathlib
import subprocess
import tempfile
import unittest

PROGRAM = os.environ["WIRELAY_FUZZ_FINDINGS"]


class StandaloneTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def run_with(self, *seeds: str, inputs: int = 1) -> subprocess.CompletedProcess:
        for word in seeds:
            (self.folder / word).write_text(word)
        # As by hand: the sanitizers' own defaults.
        env = {k: v for k, v in os.environ.items() if not k.endswith("SAN_OPTIONS")}
        return subprocess.run([PROGRAM, str(inputs), self.folder], capture_output=True, text=True,
                              check=False, env=env)

    def test_a_run_without_findings_passes(self):
        done = self.run_with("one", "two", inputs=10)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertRegex(done.stdout, r"^figures: 2 seeds and 10 inputs reach [1-9]\d* places\n"
                                      r"1 passed, 0 failed\n$")

    def test_what_long_runs_found_is_run(self):
        found = self.folder / "found"
        found.mkdir()
        (found / "property").write_text("property")
        done = subprocess.run([PROGRAM, "1", "--", found], capture_output=True, text=True,
                              check=False)
        self.assertIn(f"seed {found / 'property'} is a finding\n", done.stderr)

    def test_a_finding_names_its_seed(self):
        for word in ("property", "memory", "arithmetic"):
            with self.subTest(word=word):
                done = self.run_with("before", word, "zzz")
                self.assertNotEqual(done.returncode, 0)
                self.assertNotIn("passed", done.stdout)
                told = f"seed {self.folder / word} is a finding\n"
                self.assertEqual(done.stderr.count(told), 1, done.stderr)
                (self.folder / word).unlink()

    def test_a_finding_names_its_input(self):
        first, again = (self.run_with("made", inputs=100_000) for _ in range(2))
        self.assertNotEqual(first.returncode, 0)
        self.assertRegex(first.stderr, r"^input [1-9]\d*, made from the seeds, is a finding\n$")
        self.assertEqual(first.stderr, again.stderr)

    def test_seeds_that_miss_their_target_fail(self):
        done = self.run_with("miss")
        self.assertEqual(done.returncode, 1)
        self.assertEqual(done.stderr, "the seeds do not reach their target\n")

    def test_a_missing_seed_fails(self):
        done = subprocess.run([PROGRAM, "1", self.folder / "none"], capture_output=True, text=True,
                              check=False)
        self.assertEqual(done.returncode, 2)
        self.assertEqual(done.stderr, f"cannot read the seed {self.folder / 'none'}\n")
        self.assertEqual(done.stdout, "")
