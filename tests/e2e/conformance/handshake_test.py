"""Protects handshakes to the letter, in both roles: who gets a session, who gets none, and who gets
no answer at all (WireGuard paper, sections 5.1 to 5.4.6)."""

import os
import time

from cryptography.exceptions import InvalidTag

from tests.e2e import lab as net
from tests.e2e.conformance import noise
from tests.e2e.conformance.case import ConformanceCase, key_text
from tests.e2e.conformance.noise import KeyPair, LowOrderKey
from tests.e2e.conformance.peer import COOKIE, DATA, INITIATION, RESPONSE
from tests.e2e.netns import CommandFailed


class HandshakeTest(ConformanceCase):
    def test_a_peer_begins(self):
        peer = self.peer()
        session = peer.connect()
        for target in (net.TUNNEL_V4, net.TUNNEL_V6):
            self.assertEqual(peer.echo(session, target, size=100).packet.source, target)
        self.assertTrue(self.status(peer)["has_session"])

    def test_the_first_packet_of_a_session_is_answered_with_it(self):
        """A client that has started anew no longer holds the session before."""
        for outside in ("", "2001:db8:a::2"):
            peer = self.peer(outside=outside) if outside else self.peer()
            peer.connect()
            for target in (net.TUNNEL_V4, net.TUNNEL_V6) * 5:
                time.sleep(0.05)  # initiations that come faster are a replayed flood's
                session = peer.handshake()
                self.assertIs(peer.echo(session, target).session, session)

    def test_over_ipv6(self):
        peer = self.peer(outside="2001:db8:a::2")
        peer.connect()
        self.assertEqual(self.status(peer)["endpoint"], peer.at)

    def test_the_relay_begins_when_there_is_something_to_send(self):
        peer = self.peer()
        self.set(peer, endpoint=peer.at)
        self.host_sends(peer, b"waits")
        initiation = peer.read_initiation()
        self.assertEqual(initiation.remote, self.relay_key)
        self.assertGreater(initiation.timestamp, noise.timestamp(time.time_ns() - 60 * 10**9))
        session = peer.answer(initiation)
        received = peer.receive()
        self.assertIs(received.session, session)
        self.assertEqual(received.packet.data, b"waits")
        peer.echo(session)

    def test_with_a_preshared_key_in_both_roles(self):
        key = os.urandom(32)
        for role in ("peer begins", "relay begins"):
            with self.subTest(role):
                peer = self.peer({"preshared_key": key_text(key)})
                peer.preshared = key
                if role == "peer begins":
                    peer.connect()
                    continue
                self.set(peer, endpoint=peer.at)
                self.host_sends(peer, b"waits")
                peer.answer()
                self.assertEqual(peer.receive().packet.data, b"waits")

    def test_a_wrong_preshared_key_gives_no_session(self):
        peer = self.peer({"preshared_key": key_text(os.urandom(32))})
        with self.assertRaises(InvalidTag):
            peer.handshake()
        self.assertFalse(self.status(peer)["has_session"])

    def test_an_answer_with_a_wrong_preshared_key_gives_no_session(self):
        peer = self.peer({"preshared_key": key_text(os.urandom(32))})
        self.set(peer, endpoint=peer.at)
        self.host_sends(peer, b"waits")
        peer.answer()
        self.assert_silent(peer, DATA)
        self.assertFalse(self.status(peer)["has_session"])

    def test_a_changed_preshared_key_ends_no_session(self):
        peer = self.peer()
        session = peer.connect()
        key = os.urandom(32)
        self.set(peer, preshared_key=key_text(key))
        self.assertIs(peer.echo(session).session, session)
        with self.assertRaises(InvalidTag):  # it holds from the next handshake on
            peer.handshake()
        peer.preshared = key
        peer.connect()

    def test_nothing_is_sent_with_a_session_before_its_first_packet(self):
        peer = self.peer()
        session = peer.handshake()
        self.host_sends(peer, b"waits")
        self.assert_silent(peer, DATA, INITIATION)
        peer.send_data(session, b"")  # empty: a keepalive
        received = peer.receive()
        self.assertIs(received.session, session)
        self.assertEqual(received.packet.data, b"waits")

    def test_a_renewed_session_is_sent_with_from_its_first_packet_on(self):
        peer = self.peer()
        old = peer.connect()
        new = peer.handshake()
        self.assertIs(peer.echo(old).session, old)
        peer.send_data(new, b"")
        while peer.echo(new).session is not new:  # the control thread hears of it a little later
            pass
        self.assertIs(peer.echo(old).session, new)  # late packets of the old one are still taken

    def test_a_response_moves_nothing_to_the_session_of_an_old_initiation(self):
        """A response answers one initiation, once."""
        peer = self.peer()
        self.set(peer, endpoint=peer.at)
        self.host_sends(peer, b"waits")
        initiation = peer.read_initiation()
        response, session = initiation.answer(peer.preshared)
        response = noise.with_macs(response, self.relay_key)
        peer.keep(session)
        for _ in range(3):
            peer.send(response)
        self.assertEqual(peer.receive().packet.data, b"waits")
        peer.echo(session)

    def test_handshakes_that_cross_settle_on_the_peer_s(self):
        """The relay gives up its own initiation when it accepts the peer's."""
        peer = self.peer()
        self.set(peer, endpoint=peer.at)
        self.host_sends(peer, b"waits")
        theirs = peer.read_initiation()
        ours = peer.handshake()
        late = peer.answer(theirs)
        peer.send_data(late, b"")
        self.assert_silent(peer, DATA)
        peer.send_data(ours, b"")
        received = peer.receive()
        self.assertIs(received.session, ours)
        self.assertEqual(received.packet.data, b"waits")
        self.assertEqual(peer.heard(INITIATION), 0)

    def test_receiver_indices_are_not_predictable(self):
        """Their bytes take many values, though slots are given out in order."""
        peers = [self.peer() for _ in range(24)]
        indices = [peer.handshake().remote for peer in peers]
        for i in range(4):
            self.assertGreater(len({index[i] for index in indices}), 12, f"byte {i}")

    def test_the_answer_comes_from_the_address_that_was_asked(self):
        for outside in ("203.0.113.2", "2001:db8:a::2"):
            with self.subTest(outside):
                peer = self.peer(outside=outside)
                peer.begin()
                self.assertEqual(peer.expect(RESPONSE).source, peer.relay_at)

    # Who gets no session, and no answer. ----------------------------------------------------------

    def test_a_replayed_initiation_draws_nothing(self):
        peer = self.peer()
        initiator, message = peer.begin()
        peer.finish(initiator)
        time.sleep(0.1)  # beyond the 20 ms that are asked between two
        before = self.refused("replay")
        peer.send(message)
        self.assert_silent(peer, RESPONSE)
        self.assertEqual(self.refused("replay"), before + 1)

    def test_timestamps_go_forward_only(self):
        peer = self.peer()
        now = time.time_ns()
        peer.finish(peer.begin(noise.timestamp(now))[0])
        for offset in (-3600 * 10**9, -1, 0):
            peer.begin(noise.timestamp(now + offset))
        self.assert_silent(peer, RESPONSE)
        peer.finish(peer.begin(noise.timestamp(now + 1))[0])

    def test_timestamps_of_the_future_are_taken(self):
        """Clocks need not agree: only the order counts (section 5.1)."""
        peer = self.peer()
        peer.finish(peer.begin(noise.timestamp(2**62))[0])

    def test_a_flood_of_one_peer_s_initiations(self):
        """At most one each 20 ms, as in the Linux kernel."""
        peer = self.peer()
        before = self.refused("too_soon")
        for _ in range(40):
            peer.begin()
        self.settle()
        self.assertLess(peer.heard(RESPONSE), 20)
        self.assertGreater(peer.heard(RESPONSE), 0)
        self.assertGreater(self.refused("too_soon"), before)
        peer.forget()
        time.sleep(0.1)
        peer.connect()

    def test_an_unknown_peer_is_not_answered(self):
        stranger = self.stranger()
        before = self.refused("unknown_peer")
        stranger.begin()
        self.assert_silent(stranger, RESPONSE, COOKIE)
        self.assertEqual(self.refused("unknown_peer"), before + 1)

    def test_a_peer_that_was_removed_is_not_answered(self):
        peer = self.peer()
        session = peer.connect()
        self.relay.call("peer.remove", {"name": peer.name})
        time.sleep(0.1)
        peer.begin()
        peer.send_data(session, b"")
        self.host_sends(peer, b"for nobody")
        self.assert_silent(peer, RESPONSE, COOKIE, DATA)

    def test_a_disabled_user_s_peer_is_not_answered(self):
        self.relay.call("user.add", {"name": "off", "enabled": False})
        peer = self.stranger()
        self.add(peer, user="off")
        peer.begin()
        self.assert_silent(peer, RESPONSE, COOKIE)
        self.relay.call("user.set", {"name": "off", "enabled": True})
        peer.connect()

    def test_mac1_proves_that_the_sender_knows_the_relay_s_key(self):
        peer = self.peer()
        message = noise.Initiator(peer.key, self.relay_key).message(noise.timestamp())
        before = self.relay.drops().get("bad_mac1", 0)
        peer.send(message + bytes(32))
        peer.send(noise.with_macs(message, KeyPair().public))
        self.assert_silent(peer, RESPONSE, COOKIE)
        self.assertEqual(self.relay.drops()["bad_mac1"], before + 2)
        peer.connect()

    def test_an_initiation_that_was_changed_on_its_way(self):
        """With a new mac1, so that nothing but the handshake itself can tell. The sender's index,
        bytes 4 to 7, is covered by mac1 alone."""
        peer = self.peer()
        for position in (8, 39, 40, 71, 87, 88, 99, 115):
            message = bytearray(
                noise.Initiator(peer.key, self.relay_key).message(noise.timestamp()))
            message[position] ^= 1
            peer.send(noise.with_macs(bytes(message), self.relay_key))
        self.assert_silent(peer, RESPONSE, COOKIE)
        peer.connect()

    def test_an_initiation_in_another_peer_s_name(self):
        """Who knows a peer's public key only can't make its timestamp."""
        victim, attacker = self.peer(), self.peer()
        forged = KeyPair()
        forged.public = victim.key.public
        attacker.send(noise.with_macs(
            noise.Initiator(forged, self.relay_key).message(noise.timestamp(2**62)),
            self.relay_key))
        self.assert_silent(attacker, RESPONSE, COOKIE)
        victim.connect()  # its timestamps still count

    def test_responses_that_nobody_asked_for(self):
        peer = self.peer()
        session = peer.connect()
        for index in (bytes(4), os.urandom(4), session.remote):
            peer.send(noise.with_macs(b"\2\0\0\0" + os.urandom(4) + index + os.urandom(48),
                                      self.relay_key))
        peer.echo(session)
        self.assert_silent(peer, INITIATION, RESPONSE, COOKIE)

    # Keys with which everybody can tell what was agreed on. ---------------------------------------

    def test_low_order_ephemeral_of_an_initiation(self):
        peer = self.peer()
        for point in LowOrderKey.POINTS:
            peer.begin(ephemeral=LowOrderKey(point))
        self.assert_silent(peer, RESPONSE)
        peer.connect()

    def test_low_order_ephemeral_of_a_response(self):
        peer = self.peer()
        self.set(peer, endpoint=peer.at)
        self.host_sends(peer, b"waits")
        initiation = peer.read_initiation()
        for point in LowOrderKey.POINTS:
            again = noise.Responder(peer.key, initiation.message)
            response, session = again.answer(peer.preshared, LowOrderKey(point))
            peer.keep(session)
            peer.send(noise.with_macs(response, self.relay_key))
        self.assert_silent(peer, DATA)
        peer.answer(noise.Responder(peer.key, initiation.message))  # the right one still counts
        self.assertEqual(peer.receive().packet.data, b"waits")

    def test_low_order_static_keys(self):
        """netns.sh: a peer with such a key gets no packet, whatever asks for one."""
        peers = [self.stranger(key=LowOrderKey(point)) for point in LowOrderKey.POINTS[1:]]
        for peer in peers:
            self.add(peer, endpoint=peer.at, persistent_keepalive=1)
            self.host_sends(peer, b"for nobody")
            peer.begin()
        time.sleep(1.5)  # a keepalive would be due
        self.settle()
        for peer in peers:
            peer.take_in()
            self.assertEqual([m.kind for m in peer.inbox], [])

    def test_a_key_of_zeros_is_refused(self):
        with self.assertRaisesRegex(CommandFailed, "all zeros"):
            self.add(self.stranger(key=LowOrderKey(bytes(32))))

    def test_the_relay_s_own_key_is_refused(self):
        own = LowOrderKey(self.relay_key)
        with self.assertRaisesRegex(CommandFailed, "relay's own key"):
            self.add(self.stranger(key=own))
