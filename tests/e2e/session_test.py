"""Protects what a session goes through: roaming, preshared keys, keepalives, who begins."""

import time

from tests.e2e import lab as net
from tests.e2e.case import LabCase
from tests.e2e.client import new_key
from tests.e2e.measure import Pinging, ping
from tests.e2e.netns import until


class RoamingTest(LabCase):
    def endpoint(self, peer: str) -> str:
        return self.relay.call("peer.get", {"name": peer})["status"]["endpoint"]

    def test_a_client_that_changes_its_address_stays_connected(self):
        session = self.lab.clients["a"].last_handshake()
        pinging = Pinging(self.a(), net.FAR_V4)
        time.sleep(0.3)
        self.assertIn("203.0.113.2:", self.endpoint("a-laptop"))
        self.a().address("uplink", "203.0.113.77/25")
        self.a().route("default", "via", "203.0.113.1", "src", "203.0.113.77")
        self.a().ip("address", "delete", "203.0.113.2/25", "dev", "uplink")
        # wireguard-go sticks to the address it had until it is told of the endpoint again.
        self.a().run("wg", "set", self.lab.clients["a"].device, "peer", self.lab.relay_key,
                     "endpoint", net.ENDPOINT_V4)
        until(lambda: "203.0.113.77:" in self.endpoint("a-laptop"), 5, "endpoint that has moved")
        time.sleep(0.3)
        replies = pinging.stop()
        # Packets to the old address, while it is taken away, are the network's loss.
        self.assertLess(replies.lost, 10)
        self.assert_reaches(self.a(), net.FAR_V4)
        self.assertEqual(self.lab.clients["a"].last_handshake(), session)

    def test_a_client_that_changes_from_ipv6_to_ipv4_stays_connected(self):
        session = self.lab.clients["b"].last_handshake()
        self.b().run("wg", "set", self.lab.clients["b"].device, "peer", self.lab.relay_key,
                     "endpoint", net.ENDPOINT_V4)
        self.assert_reaches(self.b(), net.FAR_V4)
        until(lambda: "203.0.113.130:" in self.endpoint("b-laptop"), 5, "endpoint over IPv4")
        self.assertEqual(self.lab.clients["b"].last_handshake(), session)


class PresharedKeyTest(LabCase):
    @classmethod
    def add_clients(cls):
        cls.lab.client("a", preshared_key=new_key())
        cls.lab.client("b")

    def test_the_right_key_connects(self):
        self.assert_reaches(self.a(), net.FAR_V4)

    def test_a_wrong_key_does_not_until_it_is_mended(self):
        client = self.lab.clients["b"]
        self.relay.call("peer.set", {"name": "b-laptop", "preshared_key": new_key()})
        client.configure(client.settings(self.lab.relay_key, net.ENDPOINT_V4))
        self.assert_cut_off(self.b(), net.TUNNEL_V4)
        self.assertEqual(client.last_handshake(), 0)
        self.relay.call("peer.set", {"name": "b-laptop", "preshared_key": ""})
        client.configure(client.settings(self.lab.relay_key, net.ENDPOINT_V4))
        ping(self.b(), net.TUNNEL_V4, count=1)
        client.wait_for_handshake()
        self.assert_reaches(self.b(), net.FAR_V4)


class KeepaliveTest(LabCase):
    def test_a_client_keeps_its_session_alive(self):
        client = self.lab.clients["a"]
        self.a().run("wg", "set", client.device, "peer", self.lab.relay_key,
                     "persistent-keepalive", "1")
        before = self.relay.drops().get("keepalive", 0)
        until(lambda: self.relay.drops().get("keepalive", 0) >= before + 3, 10,
              "three keepalives at the relay")
        self.assert_reaches(self.a(), net.FAR_V4)

    def test_the_relay_keeps_a_session_alive(self):
        client = self.lab.clients["b"]
        self.relay.call("peer.set", {"name": "b-laptop", "persistent_keepalive": 1})
        before = client.received()
        until(lambda: client.received() >= before + 3 * 32, 10, "three keepalives at the client")
        self.assert_reaches(self.b(), net.FAR_V4)


class InitiatorTest(LabCase):
    """The client knows no endpoint of the relay: the relay must begin."""

    @classmethod
    def users(cls):
        return [{"name": "alice",
                 "peers": [cls.lab.peer("a", endpoint="203.0.113.2:40000")]},
                {"name": "bob",
                 "peers": [cls.lab.peer("b", endpoint="[2001:db8:b::2]:40000")]}]

    @classmethod
    def connect_both(cls):
        for site in net.SITES:
            cls.lab.connect(site, None, listen_port=40000)

    def test_traffic_for_a_peer_makes_the_relay_begin(self):
        for site, target in (("a", "10.77.0.2"), ("b", "fd77::3")):
            with self.subTest(site=site):
                # The first packet waits for the session, and is not lost.
                self.assert_no_loss(ping(self.lab.internet, target, count=5))
                self.assertGreater(self.lab.clients[site].last_handshake(), 0)
        self.assertGreaterEqual(
            self.relay.call("status.get")["handshakes"]["initiations_sent"], 2)
        self.assert_reaches(self.a(), net.FAR_V4, "10.77.0.3")
