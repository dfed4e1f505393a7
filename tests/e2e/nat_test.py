"""Protects: clients reach an internet that has no way back to the tunnel's network: UDP, TCP, ping and
what routers and hosts there say of packets, with an address of a pool and with the port's own; they
reach each other by their public addresses; and an operator sees who has which ports."""

import os
import socket
import struct
import time

from tests.e2e import lab as net
from tests.e2e.case import LabCase, lab_name
from tests.e2e.measure import ping
from tests.e2e.netns import Namespace, link, until
from tests.e2e.router_test import IP_PMTUDISC_DO, answer_to, mtu_of, udp_socket

OWN, POOL = "192.0.2.2", "192.0.2.17"       # the port's own address, and one of its network besides
ALONE = "192.0.2.30"                         # the address of 10.77.0.30, behind b
BEYOND = "198.18.5.2"                       # a hop behind the internet, by a narrow link
NARROW = 1300
PATIENCE = 5


def block_records(data: bytes):
    """Who, and event and address inside, of each record of an IPFIX set (ctrl/nat/ipfix.h)."""
    while data:
        _, event, inside, _, first, last, length = struct.unpack("!QB4s4sHHB", data[:22])
        assert last - first == 511
        yield data[22:22 + length].decode(), (event, socket.inet_ntoa(inside))
        data = data[22 + length:]


class NatTest(LabCase):
    LAB = lab_name("nat")

    @classmethod
    def prepare(cls):
        cls.add_clients()
        cls.lab.internet.ip("route", "del", "10.77.0.0/16")
        cls.beyond = Namespace(f"{cls.LAB}-beyond")
        link(cls.lab.internet, "beyond", cls.beyond, "uplink")
        for namespace, device, address in ((cls.lab.internet, "beyond", "198.18.5.1/24"),
                                           (cls.beyond, "uplink", f"{BEYOND}/24")):
            namespace.address(device, address)
            namespace.ip("link", "set", device, "mtu", str(NARROW))
        cls.lab.internet.sysctl("ipv4.ip_forward=1")
        cls.beyond.route("default", "via", "198.18.5.1")
        cls.collector = cls.lab.relay_side.socket(socket.AF_INET, socket.SOCK_DGRAM)
        cls.addClassCleanup(cls.collector.close)
        cls.collector.bind(("127.0.0.1", 4739))
        cls.lab.start_relay(users=cls.users(), nat44={
            "addresses": [OWN, POOL],
            "ipfix": {"collector": "127.0.0.1:4739"},
            "forwards": [{"protocol": "tcp", "port": 8443, "to": "10.77.0.2", "to_port": 443}],
            "one_to_one": [{"address": ALONE, "to": "10.77.0.30"}]})
        cls.connect_both()
        for site in net.SITES:
            cls.lab.sites[site].route("198.18.5.0/24", "dev", cls.lab.clients[site].device)

    def server(self, kind: int, port: int, namespace: Namespace | None = None,
               address: str = net.FAR_V4) -> socket.socket:
        ear = (namespace or self.lab.internet).socket(socket.AF_INET, kind)
        self.addCleanup(ear.close)
        ear.settimeout(PATIENCE)
        if kind == socket.SOCK_STREAM:
            ear.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        ear.bind((address, port))
        return ear

    def caller(self, namespace: Namespace, kind: int) -> socket.socket:
        out = namespace.socket(socket.AF_INET, kind)
        self.addCleanup(out.close)
        out.settimeout(PATIENCE)
        return out

    def assert_public(self, address: str):
        self.assertIn(address, (OWN, POOL))

    def test_udp_either_way(self):
        ear = self.server(socket.SOCK_DGRAM, 5000)
        for namespace in (self.a(), self.b()):
            # The larger ones go in parts.
            for size in (10, 1900):
                out = self.caller(namespace, socket.SOCK_DGRAM)
                payload = os.urandom(size)
                out.sendto(payload, (net.FAR_V4, 5000))
                got, source = ear.recvfrom(4096)
                self.assertEqual(got, payload)
                self.assert_public(source[0])
                ear.sendto(payload[::-1], source)
                self.assertEqual(out.recv(4096), payload[::-1])

    def test_tcp(self):
        ear = self.server(socket.SOCK_STREAM, 5001)
        ear.listen()
        out = self.caller(self.a(), socket.SOCK_STREAM)
        out.connect((net.FAR_V4, 5001))
        called, source = ear.accept()
        with called:
            self.assert_public(source[0])
            payload = os.urandom(200_000)
            called.settimeout(PATIENCE)
            out.sendall(payload[:100_000])
            got = b""
            while len(got) < 100_000:
                got += called.recv(65536)
            self.assertEqual(got, payload[:100_000])
            # Closed with data unread: a reset.
            out.sendall(b"more")
            time.sleep(0.1)
        with self.assertRaises(ConnectionResetError):
            out.recv(10)

    def test_tcp_to_a_closed_port(self):
        out = self.caller(self.b(), socket.SOCK_STREAM)
        with self.assertRaises(ConnectionRefusedError):
            out.connect((net.FAR_V4, 9))

    def test_pings(self):
        for namespace in (self.a(), self.b()):
            self.assert_no_loss(ping(namespace, net.FAR_V4, count=3))
            self.assert_no_loss(ping(namespace, BEYOND, count=2, size=1900))
        # Of the port's own address, from outside and through the tunnel.
        self.assert_no_loss(ping(self.lab.internet, OWN, count=2))

    def test_what_routers_say(self):
        """Every hop of a traceroute, a closed port, and a link that is too narrow."""
        for hops, what, by in ((1, "EHOSTUNREACH", net.TUNNEL_V4),
                               (2, "EHOSTUNREACH", net.INTERNET_V4),
                               (3, "ECONNREFUSED", BEYOND)):
            with self.subTest(hops=hops), udp_socket(self.a(), BEYOND, hops=hops) as out:
                self.assertEqual(answer_to(out), (what, by), self.relay.drops())
        with udp_socket(self.a(), BEYOND, discover=IP_PMTUDISC_DO) as out:
            self.assertEqual(answer_to(out, bytes(1380)), ("EMSGSIZE", net.INTERNET_V4))
            self.assertEqual(mtu_of(out), NARROW)

    def test_what_the_relay_says_to_those_outside(self):
        """Of a datagram that does not fit the tunnel, as it was sent."""
        ear = self.server(socket.SOCK_DGRAM, 5002)
        out = self.caller(self.a(), socket.SOCK_DGRAM)
        out.sendto(b"hello", (net.FAR_V4, 5002))
        source = ear.recvfrom(100)[1]
        ear.close()
        with udp_socket(self.lab.internet, source[0], discover=IP_PMTUDISC_DO) as back:
            back.connect(source)
            self.assertEqual(answer_to(back, bytes(1450)), ("EMSGSIZE", OWN))
            self.assertEqual(mtu_of(back), 1440)

    def test_two_clients_meet(self):
        """As players of a game do that a server has told of each other."""
        ear = self.server(socket.SOCK_DGRAM, 5003)
        sockets, ends = [], []
        for namespace in (self.a(), self.b()):
            sockets.append(self.caller(namespace, socket.SOCK_DGRAM))
            sockets[-1].sendto(b"where am I", (net.FAR_V4, 5003))
            ends.append(ear.recvfrom(100)[1])
        self.assertNotEqual(ends[0], ends[1])
        # A client's tunnel takes what is for the other's public address, too.
        for namespace, client in ((self.a(), "a"), (self.b(), "b")):
            for address in (OWN, POOL):
                namespace.ip("route", "replace", address, "dev", self.lab.clients[client].device)
        sockets[0].sendto(b"hello", ends[1])
        self.assertEqual(sockets[1].recvfrom(100), (b"hello", ends[0]))
        sockets[1].sendto(b"hello too", ends[0])
        self.assertEqual(sockets[0].recvfrom(100), (b"hello too", ends[1]))

    def test_a_collector_gets_a_record_of_each_block(self):
        for namespace in (self.a(), self.b()):
            self.assert_no_loss(ping(namespace, net.FAR_V4, count=1))
        self.collector.settimeout(PATIENCE)
        records = {}
        while len(records) < 2:
            message = self.collector.recv(2000)
            self.assertEqual(struct.unpack("!HH", message[:4]), (10, len(message)))
            at = 16
            while at < len(message):
                kind, length = struct.unpack("!HH", message[at:at + 4])
                records |= dict(block_records(message[at + 4:at + length])) if kind == 256 else {}
                at += length
        self.assertEqual(records, {"alice": (16, "10.77.0.2"), "bob": (16, "10.77.0.3")})

    def test_what_leads_inside(self):
        """A port to a's web server, and an address that is one of b's."""
        ear = self.server(socket.SOCK_STREAM, 443, self.a(), "10.77.0.2")
        ear.listen()
        out = self.caller(self.lab.internet, socket.SOCK_STREAM)
        out.connect((OWN, 8443))
        called, source = ear.accept()
        with called:
            self.assertEqual(source[0], net.INTERNET_V4)
            called.sendall(b"page")
            self.assertEqual(out.recv(100), b"page")
        # With a reload it leads elsewhere.
        self.relay.config["nat44"]["forwards"] = [
            {"protocol": "udp", "port": 5353, "to": "10.77.0.2", "to_port": 53}]
        self.relay.reload()
        ear = self.server(socket.SOCK_DGRAM, 53, self.a(), "10.77.0.2")
        with udp_socket(self.lab.internet, OWN) as out:
            out.connect((OWN, 5353))
            out.send(b"who?")
            self.assertEqual(ear.recv(100), b"who?")
        b = self.lab.clients["b"]
        self.b().address(b.device, "10.77.0.30/32")
        self.relay.call("peer.set", {"name": "b-laptop",
                                     "allowed_ips": [*b.addresses, "10.77.0.30/32"]})
        self.assert_no_loss(ping(self.lab.internet, ALONE, count=2))
        self.assert_no_loss(ping(self.b(), net.FAR_V4, count=2, extra=("-I", "10.77.0.30")))

    def test_clients_are_isolated_inside(self):
        """With NAT unless the configuration says otherwise; a reload changes it."""
        with udp_socket(self.a(), "10.77.0.3") as out:
            self.assertEqual(answer_to(out), ("EHOSTUNREACH", net.TUNNEL_V4))
        with udp_socket(self.a(), "fd77::3") as out:
            self.assertEqual(answer_to(out), ("EACCES", net.TUNNEL_V6))
        self.assertIn("isolated", self.relay.drops())
        for isolation, received in ((False, 1), (True, 0)):
            self.relay.config["isolation"] = isolation
            self.relay.reload()
            self.assertEqual(ping(self.a(), "10.77.0.3", count=1).received, received)

    def test_users_of_an_open_group_reach_each_other(self):
        self.relay.config["isolation_exceptions"] = ["family"]
        self.relay.reload()
        self.relay.ctl("user", "set", "alice", "--group", "family")
        for group, received in (("family", 1), ("none", 0)):
            self.relay.ctl("user", "set", "bob", "--group", group)
            self.assertEqual(ping(self.a(), "10.77.0.3", count=1).received, received)

    def test_limits_of_a_user_change_live(self):
        self.assert_no_loss(ping(self.a(), net.FAR_V4, count=1))
        self.relay.ctl("user", "set", "alice", "--nat-flows", "1")
        with udp_socket(self.a(), net.FAR_V4) as out:
            self.assertEqual(answer_to(out), ("EHOSTUNREACH", net.TUNNEL_V4))
        self.assertIn("nat_flows", self.relay.drops())
        self.relay.ctl("user", "set", "alice", "--nat-flows", "default")
        self.assert_no_loss(ping(self.a(), net.FAR_V4, count=1))

    def test_what_nobody_asked_for(self):
        """Scans are silent, and make nothing."""
        self.assert_no_loss(ping(self.a(), net.FAR_V4, count=1))
        before = self.relay.call("nat.get")["nat44"]
        with udp_socket(self.lab.internet, POOL) as out:
            out.send(b"anybody?")
            until(lambda: "nat_no_mapping" in self.relay.drops(), PATIENCE, "drop")
            self.assertRaises(BlockingIOError, out.recv, 100)
        after = self.relay.call("nat.get")["nat44"]
        self.assertEqual(before["blocks_free"], after["blocks_free"])

    def test_an_operator_sees_who_has_which_ports(self):
        for namespace in (self.a(), self.b()):
            self.assert_no_loss(ping(namespace, net.FAR_V4, count=1))
        ear = self.server(socket.SOCK_DGRAM, 5004)
        out = self.caller(self.a(), socket.SOCK_DGRAM)
        out.sendto(b"hello", (net.FAR_V4, 5004))
        address, port = ear.recvfrom(100)[1]
        blocks = self.relay.call("nat.blocks")["blocks"]
        self.assertEqual({block["user"] for block in blocks}, {"alice", "bob"})
        self.assertEqual({block["address"] for block in blocks}, {OWN, POOL})
        mine = [block for block in blocks if block["address"] == address
                and block["first_port"] <= port <= block["last_port"]]
        self.assertEqual([block["user"] for block in mine], ["alice"])
        self.assertGreater(self.relay.call("user.get", {"name": "alice"})["status"]["nat_flows"], 0)
        table = self.relay.ctl("nat").stdout
        self.assertRegex(table, rf"alice +{address} +{mine[0]['first_port']}-")
        given = [event for event in self.relay.call("events.list")["events"]
                 if event["kind"] == "nat_block"]
        self.assertEqual({event["user"] for event in given}, {"alice", "bob"})
        self.assertEqual({event["state"] for event in given}, {"given"})
        self.assertEqual({event["inside"] for event in given}, {"10.77.0.2", "10.77.0.3"})
