"""What killed test runs leave is taken away once, also by test runs side by side."""

import os
import pathlib
import subprocess
import sys
import unittest

from tests.e2e.case import why_not_here
from tests.e2e.netns import Namespace, run

REMOVE = "from tests.e2e.case import remove_stale_labs; remove_stale_labs()"


def ended_process() -> int:
    process = subprocess.Popen(["true"])
    process.wait()
    return process.pid


class StaleLabTest(unittest.TestCase):
    """A lab whose owner has ended, with four namespaces, and three runs that find it."""

    def setUp(self):
        if reason := why_not_here():
            raise unittest.SkipTest(reason)
        self.name = f"wl-old{ended_process()}"
        pathlib.Path("/run", self.name).mkdir()
        for letter in "abcd":
            Namespace(f"{self.name}-{letter}")

    def test_runs_side_by_side_do_not_stumble_over_each_other(self):
        runs = [subprocess.Popen([sys.executable, "-c", REMOVE], stderr=subprocess.PIPE, text=True,
                                 env=os.environ | {"PYTHONPATH": ":".join(sys.path)})
                for _ in range(3)]
        for process in runs:
            self.assertEqual(process.wait(60), 0, process.stderr.read())
            process.stderr.close()
        self.assertNotIn(self.name, run("ip", "netns", "list").stdout)
        self.assertFalse(pathlib.Path("/run", self.name).exists())
