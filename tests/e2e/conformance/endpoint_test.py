"""Protects that the relay sends where a peer is: where it was heard last by an authentic packet, or
where an operator has said since (WireGuard paper, section 2.1)."""

import socket
import time

from tests.e2e import lab as net
from tests.e2e.conformance import noise
from tests.e2e.conformance.case import ConformanceCase
from tests.e2e.conformance.peer import DATA, INITIATION, RESPONSE, Peer, endpoint_of
from tests.e2e.netns import CommandFailed, until

OTHER_V4 = "203.0.113.3"        # another address of site a
SO_NO_CHECK = 11                # as the kernel has it; Python has no name for it
SECOND_RELAY_V4 = "198.51.100.2"  # another address of the relay


class EndpointTest(ConformanceCase):
    @classmethod
    def prepare(cls):
        ports = cls.lab.relay_config()["ports"]
        ports[0]["addresses"].append(f"{SECOND_RELAY_V4}/24")
        super().prepare(ports=ports)
        cls.lab.sites["a"].address("uplink", f"{OTHER_V4}/25")

    def assert_heard_at(self, peer: Peer, place: str):
        """What the host behind sends comes there, which is one of the peer's sockets."""
        until(lambda: self.status(peer)["endpoint"] == place, 15, f"endpoint {place}")
        peer.forget()
        self.host_sends(peer, b"where")
        received = peer.receive()
        self.assertEqual(received.packet.data, b"where")
        self.assertEqual(endpoint_of(received.message.socket), place)

    # Where it was heard last. ------------------------------------------------------------------

    def test_transport_data_moves_the_endpoint(self):
        moves = ("203.0.113.2", OTHER_V4, "2001:db8:a::2", "203.0.113.2")
        peer = self.peer()
        session = peer.connect()
        for place in moves:
            peer.move(place)
            peer.send_data(session, b"")
            self.assert_heard_at(peer, peer.at)

    def test_the_answer_to_the_first_packet_from_elsewhere_arrives(self):
        """A query through a NAT that has forgotten the last port: its answer goes by the new one."""
        peer = self.peer()
        session = peer.connect()
        for place in 10 * ("203.0.113.2", OTHER_V4, "2001:db8:a::2"):
            peer.move(place)
            for target in (net.TUNNEL_V4, net.FAR_V4):
                reply = peer.echo(session, target)
                self.assertEqual(endpoint_of(reply.message.socket), peer.at)

    def test_of_packets_from_two_places_the_newest_counts(self):
        """One that somebody sends on faster than the network does wins until the next one comes."""
        peer = self.peer()
        session = peer.connect()
        home = peer.socket
        peer.move(OTHER_V4)
        away = peer.socket
        for _ in range(20):
            raced = peer.socket = away
            peer.send_data(session, b"")
            late = session.seal(b"")
            peer.socket = home
            self.assertEqual(endpoint_of(peer.echo(session).message.socket), endpoint_of(home))
            raced.sendto(late, peer.relay_at)
            self.settle()
            self.host_sends(peer, b"where")
            self.assertEqual(endpoint_of(peer.receive_packet().message.socket), endpoint_of(home))

    def test_a_damaged_packet_moves_nothing(self):
        """The tag covers neither ports nor addresses: the UDP checksum does, where there is one."""
        for outside in ("203.0.113.2", "2001:db8:a::2"):
            peer = self.peer(outside=outside)
            session = peer.connect()
            place = peer.at
            peer.send_raw(session.seal(self.to_host(peer, b"damaged")), port=9, damage=True)
            self.assertEqual(self.host_receives()[0], b"damaged")
            self.assertEqual(self.status(peer)["endpoint"], place)
            peer.send_raw(session.seal(b""), port=9)
            self.settle()
            self.assertEqual(self.status(peer)["endpoint"].rsplit(":", 1)[1], "9")

    def test_a_packet_without_a_checksum_moves_it(self):
        """IPv4 allows that, and translators send such."""
        peer = self.peer()
        session = peer.connect()
        peer.move(OTHER_V4)
        peer.socket.setsockopt(socket.SOL_SOCKET, SO_NO_CHECK, 1)
        peer.send_data(session, b"")
        self.assert_heard_at(peer, peer.at)

    def test_an_initiation_moves_the_endpoint(self):
        peer = self.peer()
        peer.connect()
        peer.move(OTHER_V4)
        peer.handshake()
        self.assert_heard_at(peer, peer.at)

    def test_a_response_moves_the_endpoint(self):
        peer = self.peer()
        self.set(peer, endpoint=peer.at)
        self.host_sends(peer, b"waits")
        initiation = peer.read_initiation()
        peer.move(OTHER_V4)
        peer.answer(initiation)
        self.assertEqual(peer.receive().packet.data, b"waits")
        self.assert_heard_at(peer, peer.at)

    def test_nothing_else_moves_it(self):
        """What is not authentic, or was heard before, or has been overtaken."""
        peer = self.peer()
        session = peer.connect()
        place, replayed, early = peer.at, session.seal(b""), session.seal(b"")
        peer.send(replayed)
        peer.echo(session)
        old_initiation = peer.begin()[1]
        peer.expect(RESPONSE)
        peer.move(OTHER_V4)
        forged = bytearray(session.seal(b"", 1000))
        forged[-1] ^= 1
        time.sleep(0.1)
        for message in (replayed, bytes(forged), early, old_initiation,
                        b"\3\0\0\0" + session.remote + bytes(56),
                        noise.with_macs(b"\2\0\0\0" + bytes(56), self.relay_key)):
            peer.send(message)
        self.settle()
        self.assertEqual(self.status(peer)["endpoint"], place)
        self.assert_heard_at(peer, place)

    def test_another_peer_s_session_moves_its_own_peer_only(self):
        """A receiver index is no identity: the key that opens the message is."""
        one, other = self.peer(), self.peer()
        session = one.connect()
        other.connect()
        places = one.at, other.at
        other.send(session.seal(b""))  # one has moved, says its key
        until(lambda: self.status(one)["endpoint"] == places[1], 15, "moved endpoint")
        self.assertEqual(self.status(other)["endpoint"], places[1])

    def test_a_packet_whose_source_is_refused_moves_it_all_the_same(self):
        """netns.sh: it is authentic, whatever stands inside."""
        peer = self.peer()
        session = peer.connect()
        peer.move(OTHER_V4)
        peer.send_data(session, self.to_host(peer, b"no", source="10.77.255.1"))
        self.assert_heard_at(peer, peer.at)

    def test_the_relay_s_own_address_follows_too(self):
        """What goes to the peer comes from where the peer has sent to last."""
        peer = self.peer()
        session = peer.connect()
        for ours in (SECOND_RELAY_V4, net.RELAY_V4):
            peer.relay_at = (ours, net.PORT)
            self.assertEqual(peer.echo(session).message.source, peer.relay_at)
            self.host_sends(peer, b"from where")
            self.assertEqual(peer.receive_packet().message.source, peer.relay_at)

    def test_two_peers_behind_one_address(self):
        peers = [self.peer() for _ in range(2)]
        for peer in peers:
            peer.connect()
        for peer in peers:
            self.assert_heard_at(peer, peer.at)

    # Where an operator says. -------------------------------------------------------------------

    def test_an_endpoint_that_is_set_is_where_packets_go(self):
        peer = self.peer()
        session = peer.connect()
        peer.move(OTHER_V4)
        self.set(peer, endpoint=peer.at)
        self.assert_heard_at(peer, peer.at)
        self.assertIs(peer.echo(session).session, session)

    def test_the_same_endpoint_set_again_after_roaming_goes_back_to_it(self):
        peer = self.peer()
        first = peer.at
        self.set(peer, endpoint=first)
        peer.connect()
        peer.move(OTHER_V4)
        peer.connect()
        self.assert_heard_at(peer, peer.at)
        self.set(peer, persistent_keepalive=0)  # says nothing of where it is
        self.assert_heard_at(peer, peer.at)
        self.set(peer, endpoint=first)
        self.assert_heard_at(peer, first)

    def test_no_text_takes_the_endpoint_away(self):
        for configured in (True, False):
            with self.subTest(configured=configured):
                peer = self.peer()
                if configured:
                    self.set(peer, endpoint=peer.at)
                session = peer.connect()
                self.settle()  # it is heard no more
                self.set(peer, endpoint="")
                self.assertIsNone(self.status(peer)["endpoint"])
                self.assertNotIn("endpoint", self.relay.call("peer.get", {"name": peer.name}))
                self.host_sends(peer, b"nowhere")
                self.assert_silent(peer, DATA, INITIATION)
                peer.send_data(session, b"")  # heard again, and its session still there
                self.assert_heard_at(peer, peer.at)
                self.assertIs(peer.echo(session).session, session)

    def test_an_endpoint_within_the_tunnel(self):
        """netns.sh has loops like this: nothing comes of it, and nothing breaks."""
        carrier, peer = self.peer(), self.peer()
        session = carrier.connect()
        for endpoint in (f"{carrier.v4}:51820", f"[{carrier.v6}]:51820", f"{peer.v4}:51820"):
            self.set(peer, endpoint=endpoint, persistent_keepalive=1)
            self.host_sends(peer, b"loop")
        self.assert_silent(peer, DATA, INITIATION)
        carrier.echo(session)
        peer.connect()

    def test_without_an_endpoint_nothing_is_sent(self):
        peer = self.peer({"persistent_keepalive": 1})
        before = self.relay.drops().get("no_endpoint", 0)
        self.host_sends(peer, b"nowhere")
        self.assert_silent(peer, INITIATION, DATA)
        self.assertEqual(self.relay.drops()["no_endpoint"], before + 1)
        self.assertIsNone(self.status(peer)["endpoint"])
        peer.connect()

    def test_addresses_where_no_peer_can_be(self):
        peer = self.peer()
        for endpoint, why in ((net.ENDPOINT_V4, "the relay's own address"),
                              ("198.51.100.1:1", "the relay's own address"),
                              ("[2001:db8:1::1]:51820", "the relay's own address"),
                              (f"{net.TUNNEL_V4}:51820", "the relay's own address"),
                              ("224.0.0.1:51820", "multicast"),
                              ("[ff02::1]:51820", "multicast"),
                              ("255.255.255.255:51820", "broadcast"),
                              ("198.51.100.255:51820", "broadcast"),
                              ("0.0.0.0:51820", "this network"),
                              ("[::]:51820", "unspecified"),
                              ("127.0.0.1:51820", "loopback")):
            with self.subTest(endpoint=endpoint):
                with self.assertRaisesRegex(CommandFailed, f"endpoint.*{why}"):
                    self.set(peer, endpoint=endpoint)
                self.assertIsNone(self.status(peer)["endpoint"])
        with self.assertRaisesRegex(CommandFailed, "endpoint.*multicast"):
            self.add(self.stranger(), endpoint="239.1.2.3:51820")
