"""Protects WireGuard's timers to the letter, in real time (WireGuard paper, section 6): when the
relay begins a handshake, repeats it, keeps a session alive and ends it, and when it does not.

Bounds are wide: what is asked for is that nothing comes much too early, and that it comes.
"""

import time

from tests.e2e.conformance import noise
from tests.e2e.conformance.noise import Session
from tests.e2e.conformance.peer import DATA, INITIATION, Peer
from tests.e2e.conformance.side_by_side import SideBySideCase, side_by_side

REKEY_AFTER, REJECT_AFTER, REKEY_TIMEOUT, KEEPALIVE = 120, 180, 5, 10  # section 6.1, seconds
JITTER = 1 / 3       # seconds, the Linux kernel's
ATTEMPTS = 20        # the first among them, as the Linux kernel counts
EARLY, LATE = 2, 10  # seconds, on a machine that is busy with other things


@side_by_side
class TimersTest(SideBySideCase):
    # Words for tests. --------------------------------------------------------------------------

    def begun_by_the_relay(self) -> tuple[Peer, Session]:
        """The relay has sent its first data and waits for an answer."""
        peer = self.peer()
        self.set(peer, endpoint=peer.at)
        self.host_sends(peer, b"first")
        session = peer.answer()
        self.assertEqual(peer.receive().packet.data, b"first")
        return peer, session

    def assert_comes(self, peer: Peer, kind: int, began: float, after: float, most: float = 0):
        """A message of a kind, no earlier than `after` seconds behind `began`."""
        due = after + most + LATE
        message = peer.expect(kind, began + due + LATE - time.monotonic())
        self.assertGreater(message.time - began, after - EARLY)
        self.assertLess(message.time - began, due)
        return message

    def assert_quiet(self, peer: Peer, until: float, *kinds: int):
        """None of these kinds comes before that moment."""
        while (left := until - time.monotonic()) > 0:
            peer.take_in(left)
            for kind in kinds:
                self.assertEqual(peer.heard(kind), 0, f"type {kind}, {left:.1f} s too early")

    def talk(self, peer: Peer, until: float):
        """Data both ways each second in the session that the relay uses, and no handshake."""
        while time.monotonic() < until:
            self.host_sends(peer, b"down")
            received = peer.receive()
            peer.send_data(received.session, self.to_host(peer, b"up"))
            self.assertEqual(peer.heard(INITIATION), 0)
            time.sleep(1)

    # Beginning, and beginning again. -----------------------------------------------------------

    def test_an_initiation_that_is_not_answered(self):
        """Is sent again every 5 s and a little, each time anew, 20 times; then not any more; and
        new traffic begins anew."""
        peer = self.peer()
        self.set(peer, endpoint=peer.at)
        self.host_sends(peer, b"waits")
        times, ephemerals = [], set()
        for _ in range(ATTEMPTS):
            message = peer.expect(INITIATION, REKEY_TIMEOUT + LATE)
            self.assertEqual(noise.Responder(peer.key, message.bytes).remote, self.relay_key)
            times.append(message.time)
            ephemerals.add(message.bytes[8:40])
        self.assertEqual(len(ephemerals), ATTEMPTS)
        self.assertGreater(times[-1] - times[0], (ATTEMPTS - 1) * REKEY_TIMEOUT - EARLY)
        self.assert_quiet(peer, times[-1] + REKEY_TIMEOUT + LATE, INITIATION)
        self.host_sends(peer, b"again")
        session = peer.answer()
        received = peer.receive()  # what waited before was given up
        self.assertIs(received.session, session)
        self.assertEqual(received.packet.data, b"again")

    def test_new_traffic_counts_attempts_anew(self):
        """Behind the last traffic an initiation is sent again as often as behind the first."""
        peer = self.peer()
        self.set(peer, endpoint=peer.at)
        before_last = 3
        for attempt in range(before_last + ATTEMPTS - 1):
            if attempt <= before_last:
                self.host_sends(peer, b"waits")
            peer.expect(INITIATION, REKEY_TIMEOUT + LATE)

    def test_a_cookie_reply_is_used_for_the_next_initiation(self):
        """And that is all it does: no answer, and no roaming to where it came from."""
        peer = self.peer()
        place = peer.at
        self.set(peer, endpoint=place)
        self.host_sends(peer, b"waits")
        first = peer.expect(INITIATION)
        cookie = bytes(range(16))
        mac1, mac2 = noise.macs_of(first.bytes)
        self.assertEqual(mac2, bytes(16))
        peer.move("203.0.113.2")  # another port
        wrong = noise.seal_cookie(first.bytes[4:8], bytes(16), peer.key.public, bytes(16))
        peer.send(wrong)
        peer.send(noise.seal_cookie(first.bytes[4:8], cookie, peer.key.public, mac1))
        second = self.assert_comes(peer, INITIATION, first.time, REKEY_TIMEOUT, JITTER)
        self.assertIs(second.socket, first.socket)
        self.assertEqual(second.bytes, noise.with_macs(second.bytes[:-32], peer.key.public, cookie))
        self.assertEqual(self.status(peer)["endpoint"], place)
        peer.answer(noise.Responder(peer.key, second.bytes))
        self.assertEqual(peer.receive().packet.data, b"waits")

    def test_a_response_that_is_delayed(self):
        """It answers an initiation that has been sent anew meanwhile, and makes no session."""
        peer = self.peer()
        self.set(peer, endpoint=peer.at)
        self.host_sends(peer, b"waits")
        first, second = peer.read_initiation(), peer.read_initiation()
        late = peer.answer(first)
        peer.send_data(late, b"")
        self.assert_quiet(peer, time.monotonic() + 1, DATA)
        session = peer.answer(second)
        self.assertIs(peer.receive_packet().session, session)

    def test_handshakes_that_crossed_settle(self):
        peer = self.peer()
        self.set(peer, endpoint=peer.at)
        self.host_sends(peer, b"waits")
        peer.read_initiation()
        session = peer.handshake()
        peer.send_data(session, b"")
        peer.receive()
        self.talk(peer, time.monotonic() + 60)

    def test_a_peer_that_falls_silent(self):
        """A new handshake 15 s behind the first data that drew nothing."""
        peer = self.peer()
        peer.connect()
        time.sleep(2)
        sent = time.monotonic()
        for _ in range(5):
            self.host_sends(peer, b"unheard")
            time.sleep(1)
        self.assert_comes(peer, INITIATION, sent, KEEPALIVE + REKEY_TIMEOUT, JITTER)

    def test_first_data_of_a_session_that_the_relay_began_stays_unanswered(self):
        peer, _ = self.begun_by_the_relay()
        self.assert_comes(peer, INITIATION, time.monotonic(), KEEPALIVE + REKEY_TIMEOUT, JITTER)

    def test_a_keepalive_is_answer_enough(self):
        peer = self.peer()
        session = peer.connect()
        until = time.monotonic() + 40
        while time.monotonic() < until:
            self.host_sends(peer, b"heard")
            peer.receive_packet()
            time.sleep(8)
            peer.send_data(session, b"")
            self.assertEqual(peer.heard(INITIATION), 0)

    def test_a_renewed_session_whose_first_packet_is_lost(self):
        """The peer goes on with the session before: it is not silent, and nobody begins."""
        peer = self.peer()
        old = peer.connect()
        new = peer.handshake()
        until = time.monotonic() + 40
        while time.monotonic() < until:
            self.assertIs(peer.echo(old).session, old)
            self.assertEqual(peer.heard(INITIATION), 0)
            time.sleep(1)
        peer.send_data(new, b"")

    # Keepalives. -------------------------------------------------------------------------------

    def test_a_keepalive_when_there_is_nothing_to_answer_with(self):
        """10 s behind data, when nothing was sent since; and one only."""
        peer = self.peer()
        session = peer.connect()
        time.sleep(2)
        sent = time.monotonic()
        peer.send_data(session, self.to_host(peer, b"no answer"))
        message = self.assert_comes(peer, DATA, sent, KEEPALIVE)
        self.assertEqual(len(message.bytes), Session.OVERHEAD)
        self.assert_quiet(peer, message.time + KEEPALIVE + LATE, DATA, INITIATION)

    def test_a_keepalive_draws_none(self):
        peer = self.peer()
        session = peer.connect()
        peer.send_data(session, b"")
        self.assert_quiet(peer, time.monotonic() + KEEPALIVE + LATE, DATA, INITIATION)

    def test_what_was_sent_meanwhile_puts_a_keepalive_off(self):
        """It is due 10 s behind data that came in since the last that went out."""
        peer = self.peer()
        session = peer.connect()
        time.sleep(2)
        peer.send_data(session, self.to_host(peer, b"no answer"))
        time.sleep(6)
        self.host_sends(peer, b"something else")
        peer.receive_packet()
        self.assert_quiet(peer, time.monotonic() + KEEPALIVE + LATE, DATA)

    def test_persistent_keepalives(self):
        """As often as configured, while nothing else goes on."""
        interval, count = 4, 5
        peer = self.peer({"persistent_keepalive": interval})
        peer.connect()
        began = time.monotonic()
        for _ in range(count):
            message = peer.expect(DATA, interval + LATE)
            self.assertEqual(len(message.bytes), Session.OVERHEAD)
        self.assertGreater(message.time - began, count * interval - EARLY)
        self.set(peer, persistent_keepalive=0)
        self.settle()
        peer.forget()
        self.assert_quiet(peer, time.monotonic() + 3 * interval, DATA)

    # Age. --------------------------------------------------------------------------------------

    def test_the_initiator_renews_a_session_that_is_used(self):
        """At 120 s, and data goes on in the old session until the new one is there."""
        began = time.monotonic()
        peer, session = self.begun_by_the_relay()
        self.talk(peer, began + REKEY_AFTER - 2)
        while peer.heard(INITIATION) == 0:
            self.assertLess(time.monotonic(), began + REKEY_AFTER + LATE)
            self.host_sends(peer, b"down")
            self.assertIs(peer.receive_packet().session, session)
            peer.send_data(session, self.to_host(peer, b"up"))
            time.sleep(0.2)
        new = peer.answer()
        received = peer.receive()  # at once, so that both know
        while received.session is session:
            received = peer.receive()
        self.assertIs(received.session, new)
        self.assertIs(peer.echo(session).session, new)

    def test_a_session_that_is_not_used_is_not_renewed(self):
        began = time.monotonic()
        peer, session = self.begun_by_the_relay()
        peer.send_data(session, b"")
        self.assert_quiet(peer, began + REJECT_AFTER + LATE, INITIATION)
        self.assertFalse(self.status(peer)["has_session"])

    def test_the_responder_does_not_renew(self):
        """So that not both sides begin at once."""
        peer = self.peer()
        began = time.monotonic()
        peer.connect()
        self.talk(peer, began + REJECT_AFTER - LATE)

    def test_data_in_the_last_seconds_makes_the_initiator_renew(self):
        """What comes in 165 s or more behind its beginning, though nothing is sent."""
        began = time.monotonic()
        peer, session = self.begun_by_the_relay()
        peer.send_data(session, b"")
        time.sleep(began + REJECT_AFTER - KEEPALIVE - REKEY_TIMEOUT + 2 - time.monotonic())
        peer.send_data(session, self.to_host(peer, b"late"))
        peer.expect(INITIATION, LATE)

    def test_a_session_ends_at_180_s(self):
        """Its keys are gone: what comes in with it is dropped, and what goes out waits for
        another."""
        peer = self.peer()
        began = time.monotonic()
        session = peer.connect()
        while (left := began + REJECT_AFTER - 3 - time.monotonic()) > 0:
            time.sleep(min(left, 9))
            peer.echo(session)
        time.sleep(began + REJECT_AFTER + 2 - time.monotonic())
        before = self.relay.drops()
        peer.forget()
        peer.send_data(session, self.to_host(peer, b"too late"))
        self.host_sends(peer, b"waits")
        initiation = peer.read_initiation()
        after = self.relay.drops()
        self.assertTrue(any(after.get(name, 0) > before.get(name, 0)
                            for name in ("expired_session", "unknown_session")))
        self.assertEqual(peer.heard(DATA), 0)
        new = peer.answer(initiation)
        received = peer.receive()
        self.assertIs(received.session, new)
        self.assertEqual(received.packet.data, b"waits")

    def test_a_session_that_was_never_used_ends_too(self):
        peer = self.peer()
        session = peer.handshake()
        time.sleep(REJECT_AFTER + 2)
        peer.send_data(session, b"")
        self.host_sends(peer, b"waits")
        peer.read_initiation()
        self.assertEqual(peer.heard(DATA), 0)
