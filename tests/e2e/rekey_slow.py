"""Protects sessions that outlive their keys: WireGuard's own timers, in real time.

Runs beside the other tests (tools/test.sh), since it mostly waits.
"""

import subprocess
import time

from tests.e2e import lab as net
from tests.e2e.case import LabCase, lab_name
from tests.e2e.measure import Pinging, ping
from tests.e2e.netns import stop, until

REKEY_AFTER = 120  # seconds, WireGuard paper, section 6.1


class RekeyTest(LabCase):
    """Alice's client begins; bob's waits for the relay to begin."""

    LAB = lab_name("slw")

    @classmethod
    def users(cls):
        return [{"name": "alice", "peers": [cls.lab.peer("a")]},
                {"name": "bob", "peers": [cls.lab.peer("b", endpoint="203.0.113.130:40000",
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

    def test_sessions_are_renewed_without_a_lost_packet(self):
        # The relay began with bob before his client was there, and tries again after 5 s.
        for namespace, target in ((self.a(), net.FAR_V4), (self.lab.internet, "10.77.0.3")):
            until(lambda: ping(namespace, target).lost == 0, 30, f"answers of {target}")
        first = {site: c.last_handshake() for site, c in self.lab.clients.items()}
        pinging = [Pinging(self.a(), net.FAR_V4, interval=0.1),
                   Pinging(self.lab.internet, "10.77.0.3", interval=0.1)]
        for site, client in self.lab.clients.items():
            until(lambda: client.last_handshake() > first[site] + REKEY_AFTER - 10,
                  REKEY_AFTER + 20, f"renewed session of {site}")
        time.sleep(3)
        for p in pinging:
            self.assert_no_loss(p.stop(), at_least=100)
