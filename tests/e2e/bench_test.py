"""Protects tools/bench.sh: a brief run comes to its end with every kind of row, its files are whole,
and nothing of it is left on the machine, also when it is interrupted. No figure is judged."""

import json
import pathlib
import signal
import subprocess
import tempfile
import unittest
import xml.etree.ElementTree

from tests.e2e.case import why_not_here
from tests.e2e.generator import RELAYGEN
from tests.e2e.huge_pages import SETTING
from tests.e2e.netns import run, stop
from tests.e2e.relay import BUILD, ROOT

MODES = ("up", "down", "hub")
CELLS = (("relayd", 1, "64"), ("relayd", 1, "1420"), ("relayd", 50, "64"),
         ("wireguard-go", 1, "64"))


class BenchTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        if reason := why_not_here():
            raise unittest.SkipTest(reason)
        if not RELAYGEN.exists():
            raise unittest.SkipTest(f"needs {RELAYGEN}: ninja -C build")

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.out = pathlib.Path(folder.name)
        self.huge_pages = SETTING.read_text()

    def start(self) -> subprocess.Popen:
        bench = subprocess.Popen([ROOT / "tools" / "bench.sh", "--build", BUILD, "--brief", "--out",
                                  self.out], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                 stderr=subprocess.STDOUT, text=True)
        self.addCleanup(bench.stdout.close)
        self.addCleanup(stop, bench, signal.SIGTERM, 60)
        return bench

    def assert_nothing_left(self, bench: subprocess.Popen):
        name = f"wl-bch{bench.pid}"
        self.assertNotIn(name, run("ip", "netns", "list").stdout)
        self.assertFalse(pathlib.Path("/run", name).exists())
        self.assertEqual(SETTING.read_text(), self.huge_pages)

    def test_brief_run(self):
        bench = self.start()
        output, _ = bench.communicate(timeout=300)
        self.assertEqual(bench.returncode, 0, output)
        report = json.loads((self.out / "bench.json").read_text())
        with self.subTest("rows"):
            rows = {(r["far_end"], r["mode"], r["users"], r["size"]): r for r in report["rows"]}
            self.assertEqual(set(rows), {(f, m, u, s) for f, u, s in CELLS for m in MODES}, output)
            for key, row in rows.items():
                self.assertTrue(row.get("pps") or row.get("note"), key)
                self.assertEqual(row["corrupt"], 0, key)
            overload = {(r["mode"], r["size"]) for r in report["overload"]}
            if not any(note.startswith("relayd, 1 user: ") for note in report["notes"]):
                self.assertEqual(overload, {(m, "64") for m in MODES
                                            if rows["relayd", m, 1, "64"].get("pps")}, output)
        with self.subTest("bulk import"):
            self.assertTrue(report["bulk_import"], report["notes"])
            self.assertEqual(report["bulk_import"]["users_after"],
                             report["bulk_import"]["users"] + report["bulk_import"]["traffic_users"])
        with self.subTest("circumstances"):
            self.assertTrue(report["machine"]["processor"])
            self.assertTrue(report["left_out"])
        with self.subTest("plot and tables"):
            plot = xml.etree.ElementTree.parse(self.out / "bench.svg").getroot()
            self.assertTrue(plot.tag.endswith("svg"))
            self.assertIn("wireguard-go", (self.out / "bench.md").read_text())
        self.assert_nothing_left(bench)

    def test_an_interrupted_run_leaves_nothing(self):
        bench = self.start()
        for line in bench.stdout:
            if line.startswith("[2/"):
                break
        bench.send_signal(signal.SIGINT)
        bench.stdout.read()
        self.assertEqual(bench.wait(60), 128 + signal.SIGINT)
        self.assert_nothing_left(bench)
