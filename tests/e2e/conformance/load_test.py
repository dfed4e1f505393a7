"""Protects those who have nothing to do with a flood of handshakes (WireGuard paper, section 5.3):
cookies prove an address and a port, and sessions lose nothing."""

import itertools
import os
import socket
import struct
import time

from tests.e2e import lab as net
from tests.e2e.conformance import inner, noise
from tests.e2e.conformance.case import ConformanceCase
from tests.e2e.conformance.peer import (COOKIE, LEAST_INTERVAL, PATIENCE, RESPONSE,
                                        Message, Peer)
from tests.e2e.netns import until

OTHER_V4 = "203.0.113.3"  # another address of site a
FLOOD = 5000              # messages at once, so that many a second come on a busy machine, too


class LoadTest(ConformanceCase):
    @classmethod
    def prepare(cls):
        # With threads for answers, or in lanes, it would take more than Python sends to be load.
        os.environ["WIRELAY_X25519_ENGINE"] = "libsodium"
        cls.addClassCleanup(os.environ.pop, "WIRELAY_X25519_ENGINE")
        super().prepare(workers=cls.lab.relay_config()["workers"] | {"handshake_threads": 0})
        cls.lab.sites["a"].address("uplink", f"{OTHER_V4}/25")
        # From anywhere to everywhere: the relay's answers end at the router between.
        cls.spoofing = cls.lab.sites["a"].socket(socket.AF_INET, socket.SOCK_RAW,
                                                 socket.IPPROTO_RAW)
        cls.addClassCleanup(cls.spoofing.close)
        cls.sources = itertools.count()

    def setUp(self):
        """The load of another test has passed."""
        peer = self.peer()
        until(lambda: self.answer_to(peer)[0].kind == RESPONSE, PATIENCE, "end of the load")

    def junk(self) -> bytes:
        """An initiation that costs the relay a key agreement to refuse: only its mac1 is right."""
        return noise.with_macs(b"\1\0\0\0" + os.urandom(112), self.relay_key)

    def spoof(self, datagram: bytes):
        """From one of 60,000 addresses, which are nobody's."""
        number = next(self.sources)
        source = f"198.19.{number // 250 % 240}.{number % 250 + 1}"
        udp = struct.pack("!HHHH", 5000, net.PORT, 8 + len(datagram), 0)
        self.spoofing.sendto(inner.ip(source, net.RELAY_V4, inner.UDP, udp + datagram),
                             (net.RELAY_V4, 0))

    def answer_to(self, peer: Peer, cookie: bytes | None = None) -> tuple[Message, bytes]:
        """What an initiation draws, and the initiation. In a flood it may get lost and goes
        again."""
        for _ in range(15):
            time.sleep(LEAST_INTERVAL)
            peer.forget()
            initiator, message = peer.begin(cookie=cookie)
            try:
                until(lambda: peer.heard(RESPONSE) + peer.heard(COOKIE), 1, "answer")
            except TimeoutError:
                continue
            answer = peer.inbox[-1]
            place = 8 if answer.kind == RESPONSE else 4
            if answer.bytes[place:place + 4] == initiator.index:
                return answer, message
        raise TimeoutError("no answer to any initiation")

    def flooded(self, peer: Peer) -> bytes:
        """Floods from everywhere until the peer's initiation draws a cookie reply; the cookie."""
        junk = self.junk()
        for _ in range(40):
            for _ in range(FLOOD):
                self.spoof(junk)
            answer, message = self.answer_to(peer)
            if answer.kind == COOKIE:
                return noise.open_cookie(answer.bytes, self.relay_key, noise.macs_of(message)[0])
        raise TimeoutError("no cookie reply, however much was sent")

    def assert_proves_nothing(self, peer: Peer, cookie: bytes):
        """The peer is asked again, unless the load has just passed."""
        for _ in range(5):
            self.flooded(peer)
            if self.answer_to(peer, cookie)[0].kind == COOKIE:
                return
        self.fail("the cookie was taken")

    def test_one_source_s_flood_asks_nobody_else_for_a_cookie(self):
        """A global limit that puts everyone into cookie mode."""
        flooding, other = self.peer(), self.peer(outside=OTHER_V4)
        session, junk = other.connect(), self.junk()
        for _ in range(10):
            for _ in range(FLOOD):
                flooding.send(junk)
            self.assertIs(other.echo(session).session, session)
            self.assertEqual(self.answer_to(other)[0].kind, RESPONSE)

    def test_a_cookie_lets_its_owner_in(self):
        peer = self.peer()
        cookie = self.flooded(peer)
        self.assertEqual(self.answer_to(peer, cookie)[0].kind, RESPONSE)

    def test_a_cookie_is_bound_to_address_and_port(self):
        peer = self.peer()
        cookie, here = self.flooded(peer), peer.socket
        for there in ("203.0.113.2", OTHER_V4):  # another port, another address
            peer.move(there)
            self.assert_proves_nothing(peer, cookie)
        peer.socket = here
        self.assertEqual(self.answer_to(peer, cookie)[0].kind, RESPONSE)

    def test_a_cookie_must_be_the_right_one(self):
        self.assert_proves_nothing(self.peer(), os.urandom(16))

    def test_a_flood_costs_no_session_anything(self):
        bystander, peer = self.peer(), self.peer(outside=OTHER_V4)
        session, junk = bystander.connect(), self.junk()
        self.flooded(peer)
        for _ in range(50):
            self.spoof(junk)
            self.assertIs(bystander.echo(session).session, session)

    def test_under_load_a_wrong_mac1_draws_nothing(self):
        """Not even a cookie reply: who doesn't know the relay's key learns nothing of it."""
        peer, other = self.peer(), self.peer(outside=OTHER_V4)
        self.flooded(peer)
        peer.forget()
        peer.send(noise.with_macs(b"\1\0\0\0" + os.urandom(112), noise.KeyPair().public))
        self.answer_to(other)
        time.sleep(0.05)
        self.assertEqual(peer.heard(COOKIE), 0)
