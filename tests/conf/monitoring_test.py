"""Protects what is shipped for Prometheus and Grafana: rules that promtool takes, each tried by a case;
a dashboard whose panels stand beside each other."""

import json
import re
import shutil
import subprocess
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
RULES = ROOT / "conf/prometheus/wirelay-alerts.yml"
CASES = ROOT / "tests/conf/alerts_cases.yml"
DASHBOARD = ROOT / "conf/grafana/wirelay.json"
WIDTH = 24  # of a dashboard


@unittest.skipUnless(shutil.which("promtool"), "needs promtool: apt-get install prometheus")
class AlertsTest(unittest.TestCase):
    def promtool(self, *arguments: str):
        done = subprocess.run(["promtool", *arguments], capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_rules_are_right(self):
        self.promtool("check", "rules", str(RULES))

    def test_alerts_come_when_they_are_to_come(self):
        self.promtool("test", "rules", str(CASES))

    def test_every_alert_is_tried(self):
        alerts = re.findall(r"- alert: (\w+)", RULES.read_text())
        tried = re.findall(r'alertname="(\w+)"}\', value: 1', CASES.read_text())
        self.assertEqual(sorted(alerts), sorted(tried))


class DashboardTest(unittest.TestCase):
    def setUp(self):
        self.panels = json.loads(DASHBOARD.read_text())["panels"]

    def test_rows(self):
        rows = [panel["title"] for panel in self.panels if panel["type"] == "row"]
        self.assertEqual(rows, ["Overview", "Users", "Drops", "Workers", "Handshakes"])

    def test_panels_do_not_cover_each_other(self):
        taken = set()
        for panel in self.panels:
            place = panel["gridPos"]
            self.assertLessEqual(place["x"] + place["w"], WIDTH)
            cells = {(x, y) for x in range(place["x"], place["x"] + place["w"])
                     for y in range(place["y"], place["y"] + place["h"])}
            self.assertFalse(taken & cells, panel["title"])
            taken |= cells
        self.assertEqual(len({panel["id"] for panel in self.panels}), len(self.panels))

    def test_every_panel_asks_the_chosen_source_and_relay(self):
        for panel in self.panels:
            for target in panel.get("targets", []):
                self.assertIn('instance=~"$instance"', target["expr"], panel["title"])
                self.assertEqual(panel["datasource"]["uid"], "${source}")
