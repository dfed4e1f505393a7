"""Protects the benchmarks from falling into disrepair: each runs for a moment, and its JSON has all
that reports are made of. No time is judged."""

import json
import os
import pathlib
import subprocess
import unittest

PROGRAMS = {pathlib.Path(p).name: p
            for p in os.environ.get("WIRELAY_BENCHMARKS", "").split(":") if p}


class BriefTest(unittest.TestCase):
    def report(self, name: str, *arguments: str):
        if name not in PROGRAMS:
            self.skipTest(f"{name} is not built: it needs the packages of group bench")
        done = subprocess.run([PROGRAMS[name], "--brief", *arguments], capture_output=True,
                              text=True, check=False, timeout=600)
        self.assertEqual(done.returncode, 0, done.stderr[-2000:])
        return json.loads(done.stdout)

    def assert_machine(self, report):
        machine = report["machine"]
        for name in ("processor", "kernel", "compiler", "cores", "tsc_hz", "load_average"):
            self.assertIn(name, machine)
        self.assertGreater(machine["tsc_hz"], 1e8)

    def assert_quartiles(self, value):
        self.assertLess(0, value["low"])
        self.assertLessEqual(value["low"], value["median"])
        self.assertLessEqual(value["median"], value["high"])

    def test_aead(self):
        report = self.report("bench_aead", "--json")
        self.assert_machine(report)
        self.assertIn("libsodium", {engine["engine"] for engine in report["engines"]})
        for engine in report["engines"]:
            rows = {(row["traffic"], row["direction"]) for row in engine["rows"]}
            self.assertEqual(rows, {(size, way) for size in ("0", "64", "IMIX")
                                    for way in ("open", "seal")})
            for row in engine["rows"]:
                for figure in ("cycles", "baseline_cycles", "ratio"):
                    self.assert_quartiles(row[figure])

    def test_stages(self):
        report = self.report("bench_stages", "--json", "--pages", "small")
        self.assert_machine(report)
        self.assertEqual(report["parameters"]["pages"], "small (4 KiB)")
        rows = {(row["direction"], row["traffic"], row["sessions"]): row for row in report["rows"]}
        self.assertEqual(set(rows), {(way, size, sessions) for way in ("up", "down", "hub")
                                     for size in ("64", "IMIX") for sessions in (1, 1000)})
        came_by = {"up": {"open", "replay", "route"}, "down": {"seal", "route"},
                   "hub": {"open", "seal", "route"}}
        for (way, _, _), row in rows.items():
            for figure in ("whole", "bare", "ratio", "rate_of_one_session"):
                self.assert_quartiles(row[figure])
            self.assertLessEqual(came_by[way] | {"classify", "transmit"}, set(row["stages"]))
            self.assertNotIn("echo", row["stages"])

    def test_stages_refuses_what_it_cannot_do(self):
        if "bench_stages" not in PROGRAMS:
            self.skipTest("not built")
        for wrong in (["--batch", "65"], ["--sizes", "1500"], ["--direction", "sideways"]):
            done = subprocess.run([PROGRAMS["bench_stages"], *wrong], capture_output=True,
                                  text=True, check=False, timeout=600)
            self.assertEqual(done.returncode, 2, done.stderr)

    def test_tables(self):
        report = self.report("bench_tables", "--json")
        self.assert_machine(report)
        self.assertEqual(len(report["lookups"]), len(report["updates"]))
        self.assertGreaterEqual(len(report["lookups"]), 8)
        for row in report["lookups"]:
            self.assertGreater(row["lookups_per_second"], 0)
        for row in report["updates"]:
            self.assertGreater(row["updates_per_second"], 0)
            for reader in (row["reader"], row["reader_alone"]):
                self.assertGreater(reader["lookups"], 0)
                self.assertLessEqual(reader["p50_ns"], reader["max_ns"])
        self.assertGreater(report["bytes"]["connected_peer_beside_window"],
                           report["bytes"]["session"])
        for row in report["resident"]:
            self.assertGreater(row["tables_bytes"], 0)

    def test_handshake(self):
        report = self.report("bench_handshake", "--json")
        self.assert_machine(report)
        for side in ("responder", "initiator"):
            self.assertGreater(report[side]["handshakes_per_second"], 0)
            shares = report[side]["share_percent"]
            self.assertAlmostEqual(sum(shares.values()), 100, delta=0.1)
            self.assertIn("x25519", shares)
        for primitive in ("x25519_libsodium", "hash", "kdf2", "mac1_check_initiation",
                          "xaead_seal_16"):
            self.assert_quartiles(report["primitives"][primitive])

    def test_protocol(self):
        report = self.report("bench_protocol")
        self.assertEqual(report["peers"], 1000)
        for name in ("add_ns", "timer_check_ns", "handshake_both_sides_ns"):
            self.assertGreater(report[name], 0)


if __name__ == "__main__":
    unittest.main()
