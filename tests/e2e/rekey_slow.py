"""Protects sessions that outlive their keys: WireGuard's own timers, in real time. When a session is
renewed in the midst of traffic, no packet is lost and none waits.

Runs beside the other tests (tools/test.sh), since it mostly waits.
"""

import subprocess
import time

from tests.e2e import lab as net
from tests.e2e.case import LabCase, lab_name
from tests.e2e.flows import Flow, Flows
from tests.e2e.measure import ping
from tests.e2e.netns import link, stop, until

REKEY_AFTER = 120  # seconds, WireGuard paper, section 6.1
LONGEST_STALL = 0.2  # seconds, when a session is renewed
AROUND = 2  # seconds: handshakes are known by the second


class RekeyTest(LabCase):
    """Alice's client begins, over IPv4; bob's waits for the relay to begin, over IPv6."""

    LAB = lab_name("slw")

    @classmethod
    def users(cls):
        return [{"name": "alice", "peers": [cls.lab.peer("a")]},
                {"name": "bob", "peers": [cls.lab.peer("b", endpoint="[2001:db8:b::2]:40000",
                                                       persistent_keepalive=25)]}]

    @classmethod
    def connect_both(cls):
        cls.lab.connect("a")
        cls.lab.connect("b", None, listen_port=40000)

    def test_a_restarted_relay_gets_its_clients_back(self):
        """It knows no session: the client notices by silence, after 15 s."""
        ping(self.a(), net.TUNNEL_V4, count=1)
        before = self.lab.clients["a"].last_handshake()
        self.relay.stop()
        self.relay.start()
        pinging = self.a().spawn("ping", "-i", "0.5", net.FAR_V4, stdout=subprocess.DEVNULL)
        try:
            until(lambda: self.lab.clients["a"].last_handshake() > before, 40,
                  "session with the restarted relay")
        finally:
            stop(pinging)
        self.assert_reaches(self.a(), net.FAR_V4)

    def flows(self) -> dict[str, Flow]:
        """Both families inside both tunnels, the way that is sealed by who begins the handshake; and
        the same beside the relay, which shows what the machine itself keeps waiting."""
        internet = self.lab.internet
        for site, number in (("a", 1), ("b", 2)):
            link(self.lab.sites[site], "beside", internet, f"beside-{site}")
            self.lab.sites[site].address("beside", f"172.31.{number}.2/30")
            internet.address(f"beside-{site}", f"172.31.{number}.1/30")
        return {"a4": Flow(self.a(), internet, net.FAR_V4),
                "a6": Flow(self.a(), internet, net.FAR_V6),
                "b4": Flow(internet, self.b(), "10.77.0.3"),
                "b6": Flow(internet, self.b(), "fd77::3"),
                "beside a": Flow(self.a(), internet, "172.31.1.1"),
                "beside b": Flow(internet, self.b(), "172.31.2.2")}

    def test_sessions_are_renewed_without_a_lost_packet(self):
        # The relay began with bob before his client was there, and tries again after 5 s.
        for namespace, target in ((self.a(), net.FAR_V4), (self.a(), net.FAR_V6),
                                  (self.lab.internet, "10.77.0.3"),
                                  (self.lab.internet, "fd77::3")):
            until(lambda: ping(namespace, target).lost == 0, 30, f"answers of {target}")
        first = {site: c.last_handshake() for site, c in self.lab.clients.items()}
        running = Flows(self.flows())
        try:
            for site, client in self.lab.clients.items():
                until(lambda: client.last_handshake() > first[site] + REKEY_AFTER - 10,
                      REKEY_AFTER + 20, f"renewed session of {site}")
            time.sleep(3)
        finally:
            running.stop()
        for name, flow in running.flows.items():
            with self.subTest(flow=name):
                self.assertGreater(flow.sent, 1000)
                self.assertEqual(flow.missing, 0, f"of {flow.sent}; drops: {self.relay.drops()}")
                if not name.startswith("beside"):
                    self.assert_no_stall(running.flows, name)

    def assert_no_stall(self, flows: dict[str, Flow], name: str):
        """A machine that is busy makes gaps at any time and on every way: a stall is one around the
        renewal that is longer than any that the machine has made besides."""
        flow, site = flows[name], name[0]
        renewed = self.lab.clients[site].last_handshake()
        begin, end = renewed - AROUND, renewed + AROUND
        by_machine = max(flows[f"beside {site}"].longest_gap(), flow.longest_gap(end=begin),
                         flow.longest_gap(begin=end))
        self.assertLess(flow.longest_gap(begin, end), max(LONGEST_STALL, by_machine),
                        f"around the renewal; the machine's longest: {by_machine:.3f} s")
