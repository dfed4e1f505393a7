"""Protects cryptokey routing to the letter: packets go to the peer with the longest prefix, and
come from nowhere else (WireGuard paper, section 2)."""

from tests.e2e import lab as net
from tests.e2e.conformance import inner
from tests.e2e.conformance.case import HOST_PORT, ConformanceCase
from tests.e2e.conformance.peer import DATA, INITIATION, Peer
from tests.e2e.netns import CommandFailed


class AllowedIpsTest(ConformanceCase):
    def assert_arrives(self, peer: Peer, source: str):
        peer.send_data(peer.sessions[-1], self.to_host(peer, source.encode(), source))
        self.assertEqual(self.host_receives(), (source.encode(), source))

    def assert_refused(self, peer: Peer, *sources: str):
        before = self.relay.drops()
        for source in sources:
            target = net.FAR_V6 if ":" in source else net.FAR_V4
            peer.send_data(peer.sessions[-1], inner.udp(source, target, source.encode()))
        self.assert_host_heard_nothing()
        after = self.relay.drops()
        self.assertEqual(len(sources), sum(after.get(name, 0) - before.get(name, 0)
                                           for name in ("source_not_allowed", "martian")))

    def assert_leads_to(self, target: str, peer: Peer, *others: Peer):
        self.host.sendto(target.encode(), (target, HOST_PORT))
        self.assertEqual(peer.receive().packet.target, target)
        for other in others:
            self.assertEqual(other.heard(DATA), 0)

    def connected(self, *allowed_ips: str) -> Peer:
        peer = self.peer({"allowed_ips": list(allowed_ips)} if allowed_ips else {})
        peer.handshake()
        peer.send_data(peer.sessions[-1], b"")
        return peer

    def test_the_source_must_be_the_peer_s(self):
        peer, other = self.connected(), self.connected()
        self.assert_refused(peer, other.v4, other.v6, net.TUNNEL_V4, net.FAR_V4, "192.0.2.99",
                            "127.0.0.1", "0.0.0.0", "255.255.255.255", "224.0.0.1", "::1",
                            "fe80::1", "ff02::1")
        self.assert_arrives(peer, peer.v4)

    def test_the_longest_prefix_rules(self):
        """For what goes to peers, and for what may come from them."""
        wide = self.connected("10.77.200.0/22")
        middle = self.connected("10.77.201.0/24")
        narrow = self.connected("10.77.201.5/32")
        self.assert_leads_to("10.77.200.5", wide, middle, narrow)
        self.assert_leads_to("10.77.201.4", middle, wide, narrow)
        self.assert_leads_to("10.77.201.5", narrow, wide, middle)
        self.assert_arrives(wide, "10.77.203.1")
        self.assert_arrives(middle, "10.77.201.6")
        self.assert_arrives(narrow, "10.77.201.5")
        self.assert_refused(wide, "10.77.201.5", "10.77.201.4")
        self.assert_refused(middle, "10.77.201.5", "10.77.200.1")
        self.assert_refused(narrow, "10.77.201.4")
        self.relay.call("peer.remove", {"name": narrow.name})
        self.assert_leads_to("10.77.201.5", middle, wide)
        self.assert_arrives(middle, "10.77.201.5")

    def test_a_peer_s_own_address_within_its_own_network(self):
        """A longer prefix of another peer within it rules there."""
        peer = self.connected("10.77.210.1/32", "10.77.210.0/24")
        hole = self.connected("10.77.210.2/32")
        self.assert_leads_to("10.77.210.1", peer, hole)
        self.assert_leads_to("10.77.210.2", hole, peer)
        self.assert_refused(peer, "10.77.210.2")
        self.assert_arrives(peer, "10.77.210.1")
        self.assert_arrives(peer, "10.77.210.3")

    def test_half_of_all_addresses(self):
        """They hold the relay's own and other peers', which stay theirs."""
        self.lab.internet.route("100.64.0.0/16", "via", "192.0.2.2")
        other = self.connected()
        peer = self.connected("0.0.0.0/1", "::/1")
        self.assert_arrives(peer, "100.64.3.4")
        self.assert_leads_to("100.64.3.4", peer, other)
        self.assert_leads_to(other.v4, other, peer)
        self.assert_refused(peer, other.v4, other.v6, net.TUNNEL_V4, "127.0.0.1")

    def test_a_prefix_that_is_taken_away(self):
        """netns.sh: it does no more, and does again when it is given back."""
        peer = self.connected()
        session = peer.sessions[-1]
        self.set(peer, allowed_ips=[peer.v6])
        self.assert_refused(peer, peer.v4)
        self.host_sends(peer, b"no")
        self.assert_silent(peer, DATA)
        self.set(peer, allowed_ips=[peer.v4, peer.v6])
        self.assert_arrives(peer, peer.v4)
        self.assertIs(peer.echo(session).session, session)

    def test_a_prefix_moves_when_the_request_says_so(self):
        one, other = self.connected(), self.connected()
        with self.assertRaisesRegex(CommandFailed, f'{one.name}.*move'):
            self.set(other, allowed_ips=[other.v4, one.v4])
        self.assert_arrives(one, one.v4)
        self.set(other, allowed_ips=[other.v4, one.v4], move=True)
        self.assert_refused(one, one.v4)
        self.assert_leads_to(one.v4, other, one)
        self.assert_arrives(other, one.v4)
        self.assertEqual(one.echo(one.sessions[-1], net.TUNNEL_V6).session, one.sessions[-1])

    def test_a_peer_without_allowed_ips(self):
        """It shakes hands; its packets are dropped."""
        peer = self.peer({"allowed_ips": []})
        session = peer.handshake()
        peer.send_data(session, b"")
        self.assert_refused(peer, peer.v4)
        peer.handshake()
        self.set(peer, allowed_ips=[peer.v4])
        self.assert_arrives(peer, peer.v4)
        self.set(peer, allowed_ips=[])
        self.assert_refused(peer, peer.v4)
        self.assertTrue(self.status(peer)["has_session"])


class ExitTest(ConformanceCase):
    """A peer that all addresses lead to, beside others: the relay has no egress of its own."""

    @classmethod
    def prepare(cls):
        ports = cls.lab.relay_config()["ports"]
        ports[1]["egress"] = False
        super().prepare(ports=ports)

    def test_all_addresses(self):
        leaf = self.peer()
        exit_peer = self.peer({"allowed_ips": ["0.0.0.0/0", "::/0"]})
        session, exit_session = leaf.connect(), exit_peer.handshake()
        exit_peer.send_data(exit_session, b"")
        for source, far in ((leaf.v4, "198.51.99.7"), (leaf.v6, "2001:db8:77::7")):
            leaf.send_data(session, inner.udp(source, far, b"out"))
            packet = exit_peer.receive().packet
            self.assertEqual((packet.source, packet.target), (source, far))
            exit_peer.send_data(exit_session, inner.udp(far, source, b"back"))
            packet = leaf.receive().packet
            self.assertEqual((packet.source, packet.target), (far, source))
        for source in (leaf.v4, net.TUNNEL_V4):  # these are others'
            exit_peer.send_data(exit_session, inner.udp(source, leaf.v4, b"no"))
        self.assert_silent(leaf, DATA, INITIATION)
