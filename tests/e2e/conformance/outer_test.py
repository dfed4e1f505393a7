"""Protects what others see of the relay's packets: their size, checksums, DSCP and ECN, as the Linux
kernel's are (RFC 6040, RFC 7915), and that marks of congestion cross the tunnel."""

import socket
import struct

from tests.e2e.conformance import inner
from tests.e2e.conformance.case import ConformanceCase
from tests.e2e.conformance.peer import DATA, INITIATION, RESPONSE, Peer
from tests.e2e.conformance.wire import Wire

PLACES = ("203.0.113.2", "2001:db8:a::2")
HANDSHAKE_CLASS = 0x88  # AF41
NOT_ECT, ECT1, ECT0, CE = range(4)


class OuterTest(ConformanceCase):
    def seen(self, outside: str) -> tuple[Peer, Wire]:
        """A peer, and what comes to it."""
        peer = self.peer(outside=outside)
        wire = Wire(self.lab.sites["a"], peer.socket.getsockname()[1])
        self.addCleanup(wire.close)
        return peer, wire

    def test_every_datagram_has_a_right_checksum(self):
        for outside in PLACES:
            with self.subTest(outside=outside):
                peer, wire = self.seen(outside)
                session = peer.connect()
                for size in (0, 1, 2, 3, 100, 1001, 1392):
                    self.host_sends(peer, bytes([size & 0xff]) * size)
                    peer.receive_packet()
                peer.echo(session, size=64)
                for kind in (RESPONSE,) + 8 * (DATA,):
                    seen = wire.next(kind)
                    self.assertTrue(seen.has_checksum and seen.is_whole)

    def test_padding_ends_at_the_tunnel_s_mtu(self):
        """A client whose path takes 1,480 bytes gets its full packets, as from the kernel."""
        for outside in PLACES:
            with self.subTest(outside=outside):
                peer, wire = self.seen(outside)
                peer.connect()
                wire.next(DATA)
                headers = 80 if ":" in outside else 60
                for size in range(1400, 1421):
                    self.host_sends(peer, bytes(size - 28))
                    self.assertEqual(len(wire.next(DATA).bytes) - headers,
                                     min(-(-size // 16) * 16, 1420))

    def test_handshakes_are_af41_and_data_is_not(self):
        for outside in PLACES:
            with self.subTest(outside=outside):
                peer, wire = self.seen(outside)
                session = peer.connect()
                self.assertEqual(wire.next(RESPONSE).traffic_class, HANDSHAKE_CLASS)
                self.assertEqual(wire.next(DATA).traffic_class, 0)
                self.host.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, 46 << 2)
                self.host_sends(peer, b"expedited")
                self.host.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, 0)
                self.assertEqual(wire.next(DATA).traffic_class, 0)
                self.assertEqual(peer.receive_packet().session, session)
                other, wire = self.seen(outside)
                self.set(other, endpoint=other.at)
                self.host_sends(other, b"begin")
                self.assertEqual(wire.next(INITIATION).traffic_class, HANDSHAKE_CLASS)

    def test_the_inner_ecn_field_goes_out(self):
        for outside in PLACES:
            peer, wire = self.seen(outside)
            peer.connect()
            wire.next(DATA)
            for ecn in range(4):
                with self.subTest(outside=outside, ecn=ecn):
                    self.host.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, ecn)
                    self.host_sends(peer, b"marked")
                    self.assertEqual(wire.next(DATA).traffic_class, ecn)
                    self.assertEqual(peer.receive_packet().packet.data, b"marked")
            self.host.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, 0)

    def test_congestion_outside_is_marked_inside(self):
        """RFC 6040, section 4.2; a packet whose transport knows no marks passes, as in the kernel."""
        self.host.setsockopt(socket.IPPROTO_IP, socket.IP_RECVTOS, 1)
        for outside in PLACES:
            peer = self.peer(outside=outside)
            session = peer.connect()
            for sent, mark, wanted in ((ECT0, CE, CE), (ECT1, CE, CE), (NOT_ECT, CE, NOT_ECT),
                                       (CE, NOT_ECT, CE), (ECT0, ECT0, ECT0), (ECT0, ECT1, ECT1),
                                       (ECT1, ECT0, ECT1), (ECT0, NOT_ECT, ECT0)):
                with self.subTest(outside=outside, sent=sent, mark=mark):
                    packet = bytearray(self.to_host(peer, b"marked"))
                    packet[1] = 26 << 2 | sent
                    packet[10:12] = bytes(2)
                    packet[10:12] = struct.pack("!H", inner.checksum(bytes(packet[:20])))
                    peer.send_raw(session.seal(bytes(packet)), ecn=mark)
                    self.host.settimeout(15)
                    data, ancillary, _, _ = self.host.recvmsg(100, 100)
                    self.host.setblocking(False)
                    self.assertEqual(data, b"marked")
                    self.assertEqual(ancillary[0][2][0], 26 << 2 | wanted)
