"""Protects what operators' tools see of a running relay by HTTP: metrics that promtool takes, whether
the relay serves, and what it lacks to be ready."""

import http.client
import json
import re
import shutil
import socket
import unittest

from tests.e2e.case import LabCase
from tests.e2e.measure import ping
from tests.e2e import lab as net
from tests.e2e.netns import run, until
from tests.e2e.relay import ROOT

PORT = 9586
OPEN_METRICS = "application/openmetrics-text; version=1.0.0"

# Not of a relay without a store and pools.
SOMETIMES = {"relay_store_writable", "relay_address_pool_used", "relay_address_pool_size"}


class HttpTest(LabCase):
    @classmethod
    def prepare(cls):
        cls.add_clients()
        cls.lab.start_relay(users=cls.users(),
                            http={"listen": f"127.0.0.1:{PORT}", "series_for": ["a*"]})
        cls.connect_both()

    def get(self, path: str, accept: str = "*/*") -> tuple[int, str]:
        connection = http.client.HTTPConnection("127.0.0.1", PORT)
        connection.sock = self.connect()
        try:
            connection.request("GET", path, headers={"Accept": accept})
            reply = connection.getresponse()
            return reply.status, reply.read().decode()
        finally:
            connection.close()

    def connect(self) -> socket.socket:
        """A connection to the relay, from within its namespace."""
        connection = self.relay.namespace.socket(socket.AF_INET, socket.SOCK_STREAM)
        connection.settimeout(20)
        connection.connect(("127.0.0.1", PORT))
        return connection

    def sample(self, name: str) -> float | None:
        lines = [line for line in self.get("/metrics")[1].splitlines() if line.startswith(name)]
        return float(lines[0].rpartition(" ")[2]) if lines else None

    @unittest.skipUnless(shutil.which("promtool"), "needs promtool: apt-get install prometheus")
    def test_promtool_takes_the_metrics(self):
        status, text = self.get("/metrics")
        self.assertEqual(status, 200)
        self.assertIn("wireguard_peer_receive_bytes_total{", text)
        run("promtool", "check", "metrics", text_in=text)

    def test_every_metric_is_documented(self):
        words = set(re.findall(r"`([a-z_]+\*?)`", (ROOT / "docs/metrics.md").read_text()))
        sections = tuple(word[:-1] for word in words if word.endswith("_*"))
        families = re.findall(r"^# TYPE (\w+) ", self.get("/metrics")[1], re.MULTILINE)
        self.assertEqual([name for name in families
                          if name not in words and not name.startswith(sections)], [])

    def test_alerts_and_dashboard_ask_for_what_there_is(self):
        text = self.get("/metrics")[1]
        for file in ("conf/prometheus/wirelay-alerts.yml", "conf/grafana/wirelay.json"):
            asked = set(re.findall(r"\b(?:relay|wireguard)_[a-z_]+", (ROOT / file).read_text()))
            self.assertGreater(len(asked), 10)
            self.assertEqual([name for name in asked - SOMETIMES if f"# TYPE {name} " not in text],
                             [], file)

    def test_open_metrics_say_the_same(self):
        def names(text: str) -> set[str]:
            return {line.rpartition(" ")[0] for line in text.splitlines() if line[0] != "#"}
        open_metrics = self.get("/metrics", OPEN_METRICS)[1]
        self.assertTrue(open_metrics.endswith("\n# EOF\n"))
        self.assertEqual(names(open_metrics), names(self.get("/metrics")[1]))

    def test_counters_count(self):
        labels = 'user="alice",name="a-laptop"}'
        def received() -> float:
            lines = self.get("/metrics")[1].splitlines()
            [line] = [l for l in lines if l.startswith("wireguard_peer_receive_bytes_total{")]
            self.assertIn(labels, line)
            return float(line.rpartition(" ")[2])
        before = received()
        ping(self.a(), net.TUNNEL_V4, count=3)
        self.assertGreater(received(), before)
        self.assertEqual(self.sample("wireguard_configured_peers"), 2)
        self.assertEqual(self.sample("wireguard_enabled_peers"), 2)
        self.assertEqual(self.sample("wireguard_connected_peers"), 2)
        self.assertGreater(self.sample("relay_handshakes_completed_total"), 1)
        self.assertGreater(self.sample("relay_worker_busy_seconds_total"), 0)

    def test_whose_time_is_over_is_neither_enabled_nor_connected(self):
        self.relay.call("user.set", {"name": "bob", "enabled": False})
        until(lambda: self.sample("wireguard_connected_peers") == 1, 5, "peer that is gone")
        self.assertEqual(self.sample("wireguard_enabled_peers"), 1)
        self.relay.call("user.set", {"name": "bob", "enabled": True})
        self.assertEqual(self.sample("wireguard_enabled_peers"), 2)
        client = self.lab.clients["b"]
        client.configure(client.settings(self.lab.relay_key, net.ENDPOINT_V6))
        ping(self.b(), net.TUNNEL_V4, count=1)
        until(lambda: self.sample("wireguard_connected_peers") == 2, 20, "peer that is back")

    def test_health_and_readiness(self):
        self.assertEqual(self.get("/health"), (200, "the relay serves\n"))
        until(lambda: self.get("/ready")[0] == 200, 10, "relay that is ready")
        self.lab.internet.run("ip", "link", "set", "relay", "down")
        try:
            status, text = until(lambda: (reply := self.get("/ready"))[0] == 503 and reply,
                                 10, "relay that is not ready")
            self.assertEqual(status, 503)
            self.assertIn("port inet has no link", json.loads(text)["missing"])
            self.assertEqual(self.get("/health")[0], 200)
        finally:
            self.lab.internet.run("ip", "link", "set", "relay", "up")
            self.lab.internet.address("relay", f"{net.INTERNET_V6}/64")
            until(lambda: self.get("/ready")[0] == 200, 20, "relay that is ready again")

    def test_who_has_series_is_reloaded(self):
        self.relay.config["http"]["series_for"] = ["bob"]
        self.relay.reload()
        self.assertIn('relay_user_peers{user="bob"} 1\n', self.get("/metrics")[1])
        self.assertNotIn("alice", self.get("/metrics")[1])
        self.relay.config["http"]["series_for"] = ["a*"]
        self.relay.reload()

    def test_who_says_nothing_holds_nobody_up(self):
        silent = []
        try:
            for _ in range(100):
                silent.append(self.connect())
                silent[-1].send(b"GET /metr")
            self.assertEqual(self.get("/health")[0], 200)
        finally:
            for connection in silent:
                connection.close()
