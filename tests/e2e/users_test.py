"""Protects users and peers that come and go live: who is removed stops, and nobody else."""

import time

from tests.e2e import lab as net
from tests.e2e.case import LabCase
from tests.e2e.measure import Pinging, ping


class UsersTest(LabCase):
    def setUp(self):
        """Both users are there, and connected."""
        for user in self.users():
            if user["name"] not in [u["name"] for u in self.relay.call("user.list")["users"]]:
                self.relay.call("user.add", user)
        self.renew_handshake()

    def renew_handshake(self):
        """The client of a begins anew, instead of waiting for its own timers."""
        client = self.lab.clients["a"]
        self.begin_with(client.settings(self.lab.relay_key, net.ENDPOINT_V4))

    def begin_with(self, settings: str):
        """Until the relay has seen the new session at work, it may answer by the one before it,
        which this client has forgotten."""
        client = self.lab.clients["a"]
        client.configure(settings)
        ping(self.a(), net.TUNNEL_V4, count=2, interval=0.2)
        client.wait_for_handshake()

    def stops_while_b_goes_on(self, remove):
        a, b = Pinging(self.a(), net.FAR_V4), Pinging(self.b(), net.FAR_V4)
        time.sleep(0.5)
        remove()
        removed = time.time()
        time.sleep(0.5)
        a, b = a.stop(), b.stop()
        self.assertGreater(a.received, 0)
        self.assertEqual(a.to_requests_after(removed), 0)
        self.assert_no_loss(b)

    def test_a_removed_user_stops_at_once(self):
        self.stops_while_b_goes_on(lambda: self.relay.ctl("user", "remove", "alice"))

    def test_rotated_keys_stop_the_old_ones_at_once(self):
        client, files = self.lab.clients["a"], []
        self.stops_while_b_goes_on(
            lambda: files.append(self.relay.ctl("peer", "rotate", "a-laptop").stdout))
        self.begin_with(client.settings_in(self.lab.folder / "wl-rot.conf", files[0]))
        self.assert_reaches(self.a(), net.FAR_V4)
        self.relay.ctl("peer", "rotate", "a-laptop", "--public-key", client.public_key)
        self.renew_handshake()
        self.assert_reaches(self.a(), net.FAR_V4)

    def test_a_disabled_user_stops_until_enabled(self):
        self.stops_while_b_goes_on(
            lambda: self.relay.call("user.set", {"name": "alice", "enabled": False}))
        self.relay.call("user.set", {"name": "alice", "enabled": True})
        self.renew_handshake()
        self.assert_reaches(self.a(), net.FAR_V4)

    def test_a_removed_peer_stops_at_once_and_comes_back_when_added(self):
        self.stops_while_b_goes_on(lambda: self.relay.ctl("peer", "remove", "a-laptop"))
        self.relay.call("peer.add", self.lab.peer("a", user="alice"))
        self.renew_handshake()
        self.assert_reaches(self.a(), net.FAR_V4, net.FAR_V6)

    def test_allowed_ips_change_live(self):
        self.relay.call("peer.set", {"name": "a-laptop", "allowed_ips": ["10.77.0.2/32"]})
        self.assert_reaches(self.a(), net.FAR_V4)
        self.assert_cut_off(self.a(), net.FAR_V6)
        self.relay.call("peer.set", {"name": "a-laptop",
                                     "allowed_ips": ["10.77.0.2/32", "fd77::2/128"]})
        self.assert_reaches(self.a(), net.FAR_V6)

    def test_many_users_come_and_go_without_a_lost_packet(self):
        b = Pinging(self.b(), net.FAR_V4, interval=0.005)
        users = [{"name": f"u{i}", "limits": {"up": {"rate": "10M"}}} for i in range(500)]
        for _ in range(3):
            self.relay.call("user.add", {"users": users})
            self.relay.call("user.remove", {"names": [u["name"] for u in users]})
        time.sleep(0.2)
        self.assert_no_loss(b.stop())

    def test_a_client_file_from_the_relay_works(self):
        """`relayctl peer config` and the client's own private key are all that a client needs."""
        client = self.lab.clients["a"]
        text = self.relay.ctl("peer", "config", "a-laptop", "--private-key-file", "-",
                              text_in=client.private_key).stdout
        self.assertIn("10.77.0.2/32", text)
        self.begin_with(client.settings_in(self.lab.folder / "a.conf", text))
        self.assert_reaches(self.a(), net.TUNNEL_V4, net.FAR_V6)
