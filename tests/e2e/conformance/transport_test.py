"""Protects transport data to the letter: padding, counters, keepalives, what waits for a session,
and what is no message at all (WireGuard paper, sections 5.4.6 and 6)."""

import os
import time

from tests.e2e.conformance import inner
from tests.e2e.conformance.case import ConformanceCase
from tests.e2e.conformance.peer import DATA, INITIATION, RESPONSE

WINDOW = 8128             # counters that may come late: the Linux kernel's COUNTER_WINDOW_SIZE
LIMIT = 2**64 - 2**13 - 1  # Reject-After-Messages (section 6.1)
MOST_WAITING = 128        # packets for a peer without a session, in the Linux kernel


class TransportTest(ConformanceCase):
    def test_packets_are_padded_with_zeros_to_16(self):
        peer = self.peer()
        peer.connect()
        for size in range(33):
            self.host_sends(peer, bytes([0xff]) * size)
            received = peer.receive()
            self.assertEqual(received.packet.data, bytes([0xff]) * size)
            self.assertEqual(len(received.text) % 16, 0)
            self.assertEqual(received.packet.padding, bytes(-(28 + size) % 16))

    def test_any_padding_is_taken_off(self):
        peer = self.peer()
        session = peer.connect()
        packet = self.to_host(peer, b"data!")
        for padding in (0, 1, 15, 16, 64, 1000):
            with self.subTest(padding=padding):
                message = session.seal(packet + bytes(-len(packet) % 16 + padding // 16 * 16))
                peer.send(message)
                self.assertEqual(self.host_receives(), (b"data!", peer.v4))

    def test_no_padding_at_all_is_taken(self):
        peer = self.peer()
        session = peer.connect()
        packet = self.to_host(peer, b"odd")
        self.assertNotEqual(len(packet) % 16, 0)
        peer.send(session.seal_bare(packet, 1000))
        self.assertEqual(self.host_receives(), (b"odd", peer.v4))

    def test_counters_begin_at_zero_and_go_up_by_one(self):
        for role in ("peer begins", "relay begins"):
            with self.subTest(role):
                peer = self.peer()
                if role == "relay begins":
                    self.set(peer, endpoint=peer.at)
                    self.host_sends(peer, b"waits")
                    session = peer.answer()
                    first = peer.receive()
                else:
                    session = peer.handshake()
                    first = peer.echo(session)
                self.assertEqual(first.counter, 0)
                self.assertEqual([peer.echo(session).counter for _ in range(20)],
                                 list(range(1, 21)))

    def test_from_peer_to_peer(self):
        one, other = self.peer(), self.peer(outside="2001:db8:a::2")
        session = one.connect()
        other.connect()
        for source, target in ((one.v4, other.v4), (one.v6, other.v6)):
            one.send_data(session, inner.udp(source, target, b"hello"))
            packet = other.receive().packet
            self.assertEqual((packet.source, packet.target, packet.data),
                             (source, target, b"hello"))

    def test_a_burst_that_waits_goes_out_as_a_whole(self):
        peer = self.peer()
        self.set(peer, endpoint=peer.at)
        for i in range(MOST_WAITING):
            self.host_sends(peer, b"%d" % i)
        peer.answer()
        got = [int(peer.receive_packet().packet.data) for _ in range(MOST_WAITING)]
        self.assertEqual(got, list(range(MOST_WAITING)))

    def test_a_burst_behind_the_first_packet_of_a_session_goes_with_it(self):
        """From another peer, at once; the peer that it is for has started anew, and knows its last
        session no longer."""
        for outside in ("203.0.113.2", "2001:db8:a::2"):
            one, other = self.peer(outside=outside), self.peer(outside=outside)
            session = one.connect()
            other.connect()
            fresh = other.handshake()
            other.send_data(fresh, b"")
            for i in range(100):
                one.send_data(session, inner.udp(one.v4, other.v4, b"%d" % i))
            got = [other.receive_packet() for _ in range(100)]
            self.assertEqual([int(r.packet.data) for r in got], list(range(100)))
            self.assertTrue(all(r.session is fresh for r in got))

    def test_traffic_from_behind_goes_on_in_the_session_of_a_peer_that_started_anew(self):
        peer = self.peer()
        peer.connect()
        self.host_sends(peer, b"before")
        self.assertEqual(peer.receive_packet().packet.data, b"before")
        fresh = peer.handshake()
        self.assertIs(peer.echo(fresh).session, fresh)
        for i in range(100):
            self.host_sends(peer, b"%d" % i)
        got = [peer.receive_packet() for _ in range(100)]
        self.assertEqual([int(r.packet.data) for r in got], list(range(100)))
        self.assertTrue(all(r.session is fresh for r in got))

    def test_packets_that_wait_go_out_in_order(self):
        """All that can be held: more than that many begin with a later one."""
        peer = self.peer()
        self.set(peer, endpoint=peer.at)
        sent = MOST_WAITING + 40
        for i in range(sent):
            self.host_sends(peer, b"%d" % i)
            time.sleep(0.001)  # workers hand up 128 in 10 ms
        initiation = peer.read_initiation()
        self.settle()
        peer.answer(initiation)
        self.host_sends(peer, b"last")
        got = []
        while (data := peer.receive().packet.data) != b"last":
            got.append(int(data))
        self.assertEqual(got, sorted(got))
        self.assertLessEqual(len(got), MOST_WAITING)
        self.assertEqual(got[-1], sent - 1)
        self.assertGreater(got[0], 0)

    def test_a_packet_that_was_changed_on_its_way(self):
        peer = self.peer()
        session = peer.connect()
        packet = self.to_host(peer, b"data")
        good = session.seal(packet, 1000)
        for position in (4, 8, 15, 16, 40, len(good) - 1):
            changed = bytearray(good)
            changed[position] ^= 1
            peer.send(bytes(changed))
        self.assert_host_heard_nothing()
        peer.send(good)  # and its counter is still free
        self.assertEqual(self.host_receives(), (b"data", peer.v4))

    def test_datagrams_that_are_no_messages(self):
        """Too short, too long, of no type, and of a type with something in the bytes that are
        reserved: the type is a word of four bytes to the Linux kernel."""
        peer = self.peer()
        session = peer.connect()
        initiation = bytearray(peer.begin()[1])
        peer.expect(RESPONSE)
        good = session.seal(self.to_host(peer, b"data"), 1000)
        wrong = [b"", b"\1", b"\4\0\0\0", bytes(148), os.urandom(1400), good[:16], good[:31],
                 bytes(initiation[:-1]), bytes(initiation) + b"\0", b"\5" + good[1:],
                 b"\1\0\0\0" + bytes(28), b"\2\0\0\0" + bytes(87), b"\2\0\0\0" + bytes(89),
                 b"\3\0\0\0" + bytes(59), b"\3\0\0\0" + bytes(61)]
        for position in (1, 2, 3):
            for message in (good, bytes(initiation)):
                changed = bytearray(message)
                changed[position] = 1
                wrong.append(bytes(changed))
        for message in wrong:
            peer.send(message)
        self.assert_host_heard_nothing()
        self.assertEqual([m.kind for m in peer.inbox], [])
        peer.send(good)
        self.assertEqual(self.host_receives(), (b"data", peer.v4))

    def test_an_oversized_datagram(self):
        """It comes in fragments; whatever becomes of it, the relay goes on."""
        peer = self.peer()
        session = peer.connect()
        for size in (1473, 9000, 65000):
            peer.send(session.seal(os.urandom(size - 32)))
            peer.send(os.urandom(size))
        self.assert_host_heard_nothing()
        peer.echo(session)

    def test_what_is_inside_must_be_an_ip_packet(self):
        peer = self.peer()
        session = peer.connect()
        good = bytearray(self.to_host(peer, b"data"))

        def changed(**bytes_at) -> bytes:
            packet = bytearray(good)
            for place, value in bytes_at.items():
                packet[int(place[1:])] = value
            return bytes(packet)

        for packet in (changed(_0=0x55), changed(_0=0x44), changed(_0=0x4f), changed(_3=200),
                       changed(_10=good[10] ^ 1), bytes(good[:16]), bytes(16), os.urandom(48),
                       changed(_0=0x65)):
            peer.send_data(session, packet)
        self.assert_host_heard_nothing()
        peer.send_data(session, bytes(good))
        self.assertEqual(self.host_receives(), (b"data", peer.v4))

    # The window against replays, as in the Linux kernel. A packet's number is its data. -----------

    def accepted(self, *counters: int) -> list[int]:
        """Which of these came through, sent one behind the other in one session."""
        peer = self.peer()
        session = peer.handshake()
        for counter in counters:
            peer.send_data(session, self.to_host(peer, b"%d" % counter), counter)
        self.settle()
        got = []
        while True:
            try:
                payload, source = self.host_receives(0)
            except TimeoutError:
                return got
            self.assertEqual(source, peer.v4)
            got.append(int(payload))

    def test_each_counter_once(self):
        self.assertEqual(self.accepted(0, 0, 1, 5, 3, 3, 5, 4, 2, 1, 6), [0, 1, 5, 3, 4, 2, 6])

    def test_a_burst_that_comes_backwards(self):
        counters = list(range(200, -1, -1))
        self.assertEqual(self.accepted(*counters), counters)

    def test_as_late_as_the_window_is_long(self):
        high = 20000
        self.assertEqual(
            self.accepted(high, high - WINDOW - 1, high - WINDOW, high - WINDOW, high - WINDOW + 1),
            [high, high - WINDOW, high - WINDOW + 1])

    def test_a_leap_forgets_nothing_that_is_in_the_window(self):
        leap = 7000
        self.assertEqual(self.accepted(1, 2, leap, 1, 2, 3, leap + WINDOW, 3, leap, leap + 1),
                         [1, 2, leap, 3, leap + WINDOW, leap + 1])

    def test_a_leap_over_the_whole_window(self):
        self.assertEqual(self.accepted(5, 2**40, 5, 6, 2**40 - 1, 2**40), [5, 2**40, 2**40 - 1])

    def test_the_last_counters(self):
        """None from Reject-After-Messages on, and the window works up to there."""
        self.assertEqual(
            self.accepted(LIMIT, LIMIT - 1, LIMIT, LIMIT + 1, 2**64 - 1, LIMIT - 1, LIMIT - 2, 0),
            [LIMIT - 1, LIMIT - 2])

    def test_a_counter_counts_only_when_the_packet_is_authentic(self):
        peer = self.peer()
        session = peer.connect()
        forged = bytearray(session.seal(b"", 10**6))
        forged[-1] ^= 1
        peer.send(bytes(forged))
        peer.echo(session)

    # What of keepalives shows at once; the rest stands in timers_slow.py. -------------------------

    def test_a_keepalive_is_not_answered(self):
        peer = self.peer()
        session = peer.connect()
        for _ in range(10):
            peer.send_data(session, b"")
        self.assert_silent(peer, DATA, INITIATION)

    def test_a_persistent_keepalive_that_is_switched_on_is_sent_at_once(self):
        peer = self.peer()
        session = peer.connect()
        peer.forget()
        self.set(peer, persistent_keepalive=600)
        received = peer.receive()
        self.assertTrue(received.is_keepalive)
        self.assertIs(received.session, session)

    def test_without_a_session_it_begins_one(self):
        peer = self.peer()
        self.set(peer, endpoint=peer.at)
        self.set(peer, persistent_keepalive=600)
        session = peer.answer()
        received = peer.receive()  # which tells that the session is there
        self.assertTrue(received.is_keepalive)
        self.assertIs(received.session, session)

    def test_a_session_that_the_relay_began_is_confirmed_at_once(self):
        """The packet that was waited for may be gone: then an empty one goes."""
        peer = self.peer()
        self.set(peer, endpoint=peer.at)
        self.host_sends(peer, b"waits")
        initiation = peer.read_initiation()
        self.set(peer, allowed_ips=[peer.v6])
        session = peer.answer(initiation)
        received = peer.receive()
        self.assertTrue(received.is_keepalive)
        self.assertIs(received.session, session)
