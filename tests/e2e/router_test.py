"""Protects: the relay answers as a router does, seen with the eyes of Linux's own sockets: what cannot
be reached is said so, what is too big says what fits, and what may be cut arrives."""

import errno
import os
import select
import socket

from tests.e2e import lab as net
from tests.e2e.case import LabCase, lab_name
from tests.e2e.measure import Iperf, ping
from tests.e2e.netns import Namespace, until

# Of Linux's headers; Python has no names for them.
IP_RECVERR, IP_MTU_DISCOVER, IP_MTU, IP_PMTUDISC_DONT, IP_PMTUDISC_DO = 11, 10, 14, 0, 2
IPV6_RECVERR, IPV6_MTU_DISCOVER, IPV6_MTU = 25, 23, 24
PATIENCE = 6  # seconds; a host is asked for three times, a second apart

CLIENT = {4: "10.77.0.2", 6: "fd77::2"}
FAR = {4: net.FAR_V4, 6: net.FAR_V6}
TUNNEL = {4: net.TUNNEL_V4, 6: net.TUNNEL_V6}
OURS_THERE = {4: "192.0.2.2", 6: "2001:db8:2::2"}      # the relay's, on the internet's side
NOBODY = {4: "10.77.9.9", 6: "fd77::9:9"}              # no peer has it
ABSENT = {4: "192.0.2.77", 6: "2001:db8:2::77"}        # of the internet's network, but nobody's


def udp_socket(namespace: Namespace, target: str, **options: int) -> socket.socket:
    """Connected, and told of every error. `hops`, `discover`: as the socket options."""
    v6 = ":" in target
    family, level = (socket.AF_INET6, socket.IPPROTO_IPV6) if v6 else (socket.AF_INET,
                                                                       socket.IPPROTO_IP)
    out = namespace.socket(family, socket.SOCK_DGRAM)
    out.setsockopt(level, IPV6_RECVERR if v6 else IP_RECVERR, 1)
    if "hops" in options:
        name = socket.IPV6_UNICAST_HOPS if v6 else socket.IP_TTL
        out.setsockopt(level, name, options["hops"])
    if "discover" in options:
        out.setsockopt(level, IPV6_MTU_DISCOVER if v6 else IP_MTU_DISCOVER, options["discover"])
    out.connect((target, 4444))
    out.setblocking(False)
    return out


def mtu_of(out: socket.socket) -> int:
    """What the kernel knows of the path."""
    if out.family == socket.AF_INET6:
        return out.getsockopt(socket.IPPROTO_IPV6, IPV6_MTU)
    return out.getsockopt(socket.IPPROTO_IP, IP_MTU)


def answer_to(out: socket.socket, payload: bytes = b"hello") -> tuple[str, str]:
    """Sends a datagram; the name of the error that it draws, and who says so."""
    try:
        out.send(payload)
    except OSError as error:
        return errno.errorcode[error.errno], "this host"
    poll = select.poll()
    poll.register(out, 0)
    if not poll.poll(PATIENCE * 1000):
        return "silence", ""
    _, ancillary, _, _ = out.recvmsg(2048, 512, socket.MSG_ERRQUEUE)
    report = ancillary[0][2]  # struct sock_extended_err, and behind it the offender's address
    code = int.from_bytes(report[:4], "little")
    address = report[16:]
    offender = (socket.inet_ntop(socket.AF_INET6, address[8:24]) if out.family == socket.AF_INET6
                else socket.inet_ntop(socket.AF_INET, address[4:8]))
    return errno.errorcode[code], offender


class RouterTest(LabCase):
    LAB = lab_name("rtr")

    def setUp(self):
        # What the kernels have learned in other tests.
        for namespace in (self.a(), self.b(), self.lab.internet):
            namespace.ip("route", "flush", "cache")
            namespace.ip("-6", "route", "flush", "cache")

    def assert_told(self, namespace: Namespace, target: str, what: str, by: str, **options):
        with self.subTest(target=target, what=what, **options):
            with udp_socket(namespace, target, **options) as out:
                self.assertEqual(answer_to(out), (what, by), self.relay.drops())

    def test_out_of_hops(self):
        for family in (4, 6):
            self.assert_told(self.a(), FAR[family], "EHOSTUNREACH", TUNNEL[family], hops=1)
            self.assert_told(self.a(), {4: "10.77.0.3", 6: "fd77::3"}[family], "EHOSTUNREACH",
                             TUNNEL[family], hops=1)
            # One hop of the internet's host is the relay.
            self.assert_told(self.lab.internet, CLIENT[family], "EHOSTUNREACH",
                             OURS_THERE[family], hops=1)

    def test_nobody_there(self):
        for family in (4, 6):
            self.assert_told(self.lab.internet, NOBODY[family], "EHOSTUNREACH", OURS_THERE[family])
            self.assert_told(self.a(), ABSENT[family], "EHOSTUNREACH", TUNNEL[family])

    def test_a_peer_that_was_never_heard(self):
        self.relay.call("peer.add", {"name": "silent", "user": "bob",
                                     "public_key": "c2lsZW50IHBlZXIgb2YgdGhlIHJvdXRlciB0ZXN0ISE=",
                                     "allowed_ips": ["10.77.5.1/32", "fd77::5:1/128"]})
        for target, family in (("10.77.5.1", 4), ("fd77::5:1", 6)):
            self.assert_told(self.lab.internet, target, "EHOSTUNREACH", OURS_THERE[family])

    def test_nothing_listens(self):
        for family in (4, 6):
            self.assert_told(self.a(), TUNNEL[family], "ECONNREFUSED", TUNNEL[family])
            self.assert_told(self.lab.internet, OURS_THERE[family], "ECONNREFUSED",
                             OURS_THERE[family])
            for namespace, target in ((self.a(), TUNNEL[family]),
                                      (self.lab.internet, OURS_THERE[family])):
                kind = socket.AF_INET6 if family == 6 else socket.AF_INET
                with self.subTest(tcp=target), namespace.socket(kind, socket.SOCK_STREAM) as out:
                    out.settimeout(PATIENCE)
                    with self.assertRaises(ConnectionRefusedError):
                        out.connect((target, 80))

    def test_too_big_for_the_tunnel(self):
        """What fits is what the next packet finds."""
        for family, fits in ((4, 1440), (6, 1440)):
            with self.subTest(family=family), \
                    udp_socket(self.lab.internet, CLIENT[family], discover=IP_PMTUDISC_DO) as out:
                self.assertEqual(answer_to(out, bytes(1450 - 8 - (20 if family == 4 else 40))),
                                 ("EMSGSIZE", OURS_THERE[family]))
                self.assertEqual(mtu_of(out), fits)

    def test_large_datagrams_come_in_parts(self):
        with self.a().socket(socket.AF_INET, socket.SOCK_DGRAM) as ear, \
                udp_socket(self.lab.internet, CLIENT[4], discover=IP_PMTUDISC_DONT) as out:
            ear.bind((CLIENT[4], 4444))
            ear.settimeout(PATIENCE)
            payload = os.urandom(1472)
            out.send(payload)
            self.assertEqual(ear.recv(4096), payload)

    def test_large_pings_of_the_relay(self):
        self.assert_no_loss(ping(self.a(), net.TUNNEL_V4, count=2, size=1900))
        self.assert_no_loss(ping(self.a(), net.TUNNEL_V6, count=2, size=1900))
        self.assert_no_loss(ping(self.lab.internet, "192.0.2.2", count=2, size=1900))
        self.assert_no_loss(ping(self.lab.transit, net.RELAY_V4, count=2, size=1900))
        self.assert_no_loss(ping(self.lab.transit, net.RELAY_V6, count=2, size=1900))

    def test_tcp_to_a_network_of_1500_behind_a_client(self):
        """Its hosts know nothing of the tunnel: both sides learn as they begin what fits it."""
        lan = Namespace(f"{self.lab.name}-lan")
        self.a().run("ip", "link", "add", "lan", "type", "veth", "peer", "name", "up", "netns",
                     lan.name)
        self.a().run("ip", "link", "set", "dev", "lan", "up")
        self.a().address("lan", "10.77.200.1/24")
        self.a().sysctl("ipv4.ip_forward=1")
        lan.run("ip", "link", "set", "dev", "up", "up")
        lan.address("up", "10.77.200.2/24")
        lan.route("default", "via", "10.77.200.1")
        self.relay.call("peer.set", {
            "name": "a-laptop", "allowed_ips": ["10.77.0.2/32", "fd77::2/128", "10.77.200.0/24"]})
        with self.lab.internet.socket(socket.AF_INET, socket.SOCK_STREAM) as server, \
                lan.socket(socket.AF_INET, socket.SOCK_STREAM) as caller:
            server.bind((net.FAR_V4, 4445))
            server.listen()
            caller.connect((net.FAR_V4, 4445))
            with server.accept()[0] as called:
                for side in (caller, called):
                    size = side.getsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG)
                    self.assertLessEqual(size, 1440 - 40)
        iperf = Iperf(self.lab.internet)
        for options in ((), ("-R",)):
            with self.subTest(options=options):
                self.assertGreater(iperf.run(lan, net.FAR_V4, 1, *options).goodput(), 1)

    def test_a_client_whose_path_is_narrow(self):
        """Its datagrams come in parts."""
        for namespace, device in ((self.lab.transit, "site-a"), (self.a(), "uplink")):
            namespace.run("ip", "link", "set", device, "mtu", "1400")
            self.addCleanup(namespace.run, "ip", "link", "set", device, "mtu", "1500")
        self.assert_no_loss(ping(self.a(), net.FAR_V4, count=3, size=1372, extra=("-M", "dont")))
        iperf = Iperf(self.lab.internet)
        for options in ((), ("-R",)):
            with self.subTest(options=options):
                self.assertGreater(iperf.run(self.a(), net.FAR_V4, 1, *options).goodput(), 1)

    def test_a_client_over_ipv6_whose_path_is_narrow(self):
        """The relay is told by the router, and tells those behind it."""
        self.lab.transit.run("ip", "link", "set", "site-b", "mtu", "1400")
        self.addCleanup(self.lab.transit.run, "ip", "link", "set", "site-b", "mtu", "1500")
        self.b().run("ip", "link", "set", "uplink", "mtu", "1400")
        self.addCleanup(self.b().run, "ip", "link", "set", "uplink", "mtu", "1500")

        def narrowed() -> bool:
            ping(self.lab.internet, "10.77.0.3", count=1, size=1372, extra=("-M", "dont"))
            return self.relay.call("peer.get", {"name": "b-laptop"})["status"]["path_mtu"] == 1400
        until(narrowed, 10, "report of the router")
        self.assert_no_loss(ping(self.lab.internet, "10.77.0.3", count=3, size=1372,
                                 extra=("-M", "dont")))
        self.assert_no_loss(ping(self.b(), net.FAR_V6, count=3, size=1200))
        with udp_socket(self.lab.internet, "fd77::3", discover=IP_PMTUDISC_DO) as out:
            self.assertEqual(answer_to(out, bytes(1390 - 48)), ("EMSGSIZE", OURS_THERE[6]))
            self.assertEqual(mtu_of(out), 1400 - 80)
        iperf = Iperf(self.lab.internet)
        for options in ((), ("-R",)):
            with self.subTest(options=options):
                self.assertGreater(iperf.run(self.b(), net.FAR_V6, 1, *options).goodput(), 1)
