"""Protects what the relay does with interfaces that are the kernel's, and what networks must see of
its ports."""

import json
import socket
import struct

from tests.e2e import lab as net
from tests.e2e.case import LabCase
from tests.e2e.measure import ping
from tests.e2e.netns import Namespace, link, until
from tests.e2e.relay import RELAYD

ETH_P_ALL = 0x0003


SENDER = bytes.fromhex("020000000099")


def checksum(data: bytes) -> bytes:
    """RFC 1071, of whole words."""
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    total = (total & 0xffff) + (total >> 16)
    return struct.pack("!H", ~(total + (total >> 16)) & 0xffff)


class Listener:
    """All frames that come to a device of a namespace from now on."""

    def __init__(self, namespace: Namespace, device: str):
        self.socket = namespace.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
        self.socket.bind((device, 0))
        self.socket.settimeout(0.1)
        self.frames: list[bytes] = []

    def wait_for(self, wanted, seconds: float, what: str):
        """Reads until `wanted` of all frames so far is true."""
        def heard():
            try:
                self.frames.append(self.socket.recv(10_000))
            except TimeoutError:
                pass
            return wanted(self.frames)

        until(heard, seconds, what)

    def close(self):
        self.socket.close()


def arp_announced(frame: bytes) -> str | None:
    """The address that an ARP announcement (RFC 5227, 2.3) tells of."""
    if frame[12:14] != b"\x08\x06" or frame[:6] != b"\xff" * 6:
        return None
    sender, target = frame[28:32], frame[38:42]
    return socket.inet_ntoa(sender) if sender == target else None


def nd_announced(frame: bytes) -> str | None:
    """The address of an unsolicited neighbour advertisement to all nodes, with override."""
    if frame[12:14] != b"\x86\xdd" or frame[20] != 58 or len(frame) < 78 or frame[54] != 136:
        return None
    unsolicited = frame[58] & 0x60 == 0x20
    to_all = frame[38:54] == socket.inet_pton(socket.AF_INET6, "ff02::1")
    return socket.inet_ntop(socket.AF_INET6, frame[62:78]) if unsolicited and to_all else None


def announced(frames: list[bytes]) -> dict[str, int]:
    """How often each address was announced."""
    times: dict[str, int] = {}
    for frame in frames:
        if address := arp_announced(frame) or nd_announced(frame):
            times[address] = times.get(address, 0) + 1
    return times


def interface(namespace, device: str) -> dict:
    """MTU, flags and modes, as the kernel has them."""
    state = json.loads(namespace.ip("-d", "-j", "link", "show", device).stdout)[0]
    return {key: state.get(key) for key in ("mtu", "flags", "promiscuity", "allmulti")}


class MtuTest(LabCase):
    """No `mtu` is configured; the interface that clients come by has 1,460, the other 9,000."""

    LAB = LabCase.LAB.replace("tst", "mtu")

    @classmethod
    def prepare(cls):
        wan, inet = cls.lab.relay_side, cls.lab.internet
        for namespace, device, mtu in ((wan, "wan", 1460), (cls.lab.transit, "relay", 1460),
                                       (wan, "inet", 9000), (inet, "relay", 9000)):
            namespace.ip("link", "set", device, "mtu", str(mtu))
        wan.ip("link", "set", "wan", "promisc", "on")
        cls.before = cls.interfaces()
        cls.add_clients()
        config = cls.lab.relay_config(users=cls.users())
        config["ports"][1]["device"] = "net_af_packet1,iface=inet"
        cls.lab.start_relay(**config)

    @classmethod
    def interfaces(cls):
        return {device: interface(cls.lab.relay_side, device) for device in ("wan", "inet")}

    def test_it_is_the_interfaces(self):
        ports = self.relay.call("status.get")["ports"]
        self.assertEqual({p["name"]: p["mtu"] for p in ports}, {"wan": 1460, "inet": 9000})

    def test_a_client_file_fits(self):
        self.assertIn("\nMTU = 1380\n", self.relay.ctl("peer", "config", "a-laptop").stdout)

    def test_jumbo_frames_pass(self):
        for target in ("192.0.2.2", "2001:db8:2::2"):
            with self.subTest(target=target):
                self.assert_no_loss(ping(self.lab.internet, target, size=8900,
                                         extra=("-M", "do")))

    def test_the_interfaces_stay_as_they_were(self):
        for device, now in self.interfaces().items():
            self.assertEqual(now["mtu"], self.before[device]["mtu"])
            self.assertEqual("PROMISC" in now["flags"], "PROMISC" in self.before[device]["flags"])
        self.relay.stop()
        self.assertEqual(self.interfaces(), self.before)
        self.relay.start()

    def test_more_than_the_interface_has_is_refused(self):
        config = self.lab.relay_config(control_socket=str(self.lab.folder / "other.sock"))
        config["ports"][0]["mtu"] = 9000
        file = self.lab.folder / "large.json"
        file.write_text(json.dumps(config))
        done = self.lab.relay_side.run(str(RELAYD), "--config", str(file), check=False, timeout=20)
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stderr, r'ports\[0\]\.mtu: found 9000, but the interface "wan" has an '
                                      r"MTU of 1460")
        self.assertIn("ports[0].device: found frames of 2048 bytes", done.stderr)


class AnnouncementTest(LabCase):
    """A replaced machine: neighbours hold another's MAC address, and ask for nothing."""

    LAB = LabCase.LAB.replace("tst", "ann")

    OTHER = ("198.51.100.7", "2001:db8:1::7")

    @classmethod
    def prepare(cls):
        for address in (net.RELAY_V4, net.RELAY_V6, *cls.OTHER):
            cls.lab.transit.ip("neighbour", "replace", address, "dev", "relay", "lladdr",
                               "02:00:00:00:00:77", "nud", "reachable")
        cls.ears = Listener(cls.lab.transit, "relay")
        cls.addClassCleanup(cls.ears.close)
        config = cls.lab.relay_config()
        config["ports"][0]["addresses"] += [f"{cls.OTHER[0]}/24", f"{cls.OTHER[1]}/64"]
        cls.lab.start_relay(**config)

    def assert_announced(self, ears: Listener):
        wanted = {net.RELAY_V4, net.RELAY_V6, *self.OTHER}
        ears.wait_for(lambda frames: all(announced(frames).get(a, 0) >= 2 for a in wanted), 10,
                      "second announcement of each address")

    def test_1_each_address_is_told_of(self):
        self.assert_announced(self.ears)
        for address in (net.RELAY_V4, net.RELAY_V6, *self.OTHER):
            with self.subTest(address=address):
                self.assert_no_loss(ping(self.lab.transit, address, count=2))

    def test_2_again_when_the_link_is_back(self):
        self.lab.transit.ip("link", "set", "relay", "down")
        self.wait_for_link("wan", False)
        self.lab.transit.ip("link", "set", "relay", "up")
        ears = Listener(self.lab.transit, "relay")
        try:
            self.assert_announced(ears)
        finally:
            ears.close()
        self.wait_for_link("wan", True)
        log = self.relay.log.read_text()
        self.assertIn("port wan: the link is down", log)
        self.assertIn("port wan: the link is up", log)

    def wait_for_link(self, name: str, up: bool):
        until(lambda: next(p["link_up"] for p in self.relay.call("port.list")["ports"]
                           if p["name"] == name) == up, 5, f"link_up {up} of {name}")


class SnoopingTest(LabCase):
    """A switch that passes multicast on to those alone that have asked for it."""

    LAB = LabCase.LAB.replace("tst", "mld")

    @classmethod
    def prepare(cls):
        # Between the relay and its router, in the place of the cable.
        cls.switch = Namespace(f"{cls.LAB}-switch")
        switch, transit, relay = cls.switch, cls.lab.transit, cls.lab.relay_side
        relay.ip("link", "delete", "wan")
        switch.ip("link", "add", "sw0", "type", "bridge", "mcast_snooping", "1",
                  "mcast_querier", "1", "mcast_startup_query_interval", "100")
        switch.ip("link", "set", "sw0", "up")
        link(relay, "wan", switch, "relay")
        link(transit, "relay", switch, "router")
        for device in ("relay", "router"):
            switch.ip("link", "set", device, "master", "sw0")
            switch.run("bridge", "link", "set", "dev", device, "mcast_flood", "off")
        transit.address("relay", "198.51.100.254/24", "2001:db8:1::fe/64")
        cls.lab.start_relay()

    def groups(self) -> set[str]:
        entries = json.loads(self.switch.run("bridge", "-j", "mdb", "show").stdout)
        return {e["grp"] for part in entries for e in part.get("mdb", []) if e["port"] == "relay"}

    def test_1_solicitations_reach_the_relay(self):
        until(lambda: "ff02::1:ff00:1" in self.groups(), 10, "group of the relay at the switch")
        # A switch that has just become the querier goes by groups only 10 s later.
        until(lambda: ping(self.lab.transit, net.RELAY_V6, count=1).received, 20,
              "reply through the switch")

    def test_2_queries_are_answered(self):
        until(self.groups, 10, "groups at the switch")
        for group in self.groups():
            self.switch.run("bridge", "mdb", "del", "dev", "sw0", "port", "relay", "grp", group,
                            check=False)
        self.switch.ip("link", "set", "sw0", "type", "bridge", "mcast_querier", "0")
        self.switch.ip("link", "set", "sw0", "type", "bridge", "mcast_querier", "1")
        until(lambda: "ff02::1:ff00:1" in self.groups(), 20, "answer to the switch's query")


class SpoofTest(LabCase):
    """Plain frames that claim to come from within the tunnel, by the port that clients come by."""

    LAB = LabCase.LAB.replace("tst", "spf")

    def send(self, source: str, destination: str, protocol: int = 17,
             payload: bytes = struct.pack("!4H", 7, 7, 8, 0), tag: bytes = b""):
        """A packet in a frame to the relay's port."""
        mac = json.loads(self.lab.relay_side.ip("-j", "link", "show", "wan").stdout)[0]["address"]
        head = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(payload), 0, 0, 64, protocol, 0,
                           socket.inet_aton(source), socket.inet_aton(destination))
        head = head[:10] + checksum(head) + head[12:]
        with self.lab.transit.socket(socket.AF_PACKET, socket.SOCK_RAW, 0) as out:
            out.bind(("relay", 0))
            out.send(bytes.fromhex(mac.replace(":", "")) + SENDER + tag + b"\x08\x00" + head +
                     payload)

    def wait_for_drop(self, name: str, at_least: int):
        until(lambda: self.relay.drops().get(name, 0) >= at_least, 5, f"{at_least} {name}")

    def test_neighbours_in_the_tunnel_cannot_be_played(self):
        before = self.relay.drops().get("spoofed_source", 0)
        for source in ("10.77.0.2", net.TUNNEL_V4, net.RELAY_V4):
            self.send(source, "10.77.0.3")
        self.wait_for_drop("spoofed_source", before + 3)

    def test_metadata_of_the_cloud_is_not_for_clients(self):
        before = self.relay.drops().get("link_local", 0)
        self.a().route("169.254.169.254/32", "dev", self.lab.clients["a"].device)
        self.assert_cut_off(self.a(), "169.254.169.254")
        self.wait_for_drop("link_local", before + 1)

    def test_frames_of_vlan_0_pass(self):
        """An echo request with a tag that holds a priority alone; and one of VLAN 7."""
        echo = struct.pack("!BBHHH", 8, 0, 0, 7, 7)
        echo = echo[:2] + checksum(echo) + echo[4:]
        ears = Listener(self.lab.transit, "relay")
        self.addCleanup(ears.close)
        self.send("198.51.100.254", net.RELAY_V4, 1, echo, b"\x81\x00\xa0\x00")
        ears.wait_for(lambda frames: any(f[:6] == SENDER for f in frames), 5, "reply")
        before = self.relay.drops().get("unknown_ethertype", 0)
        self.send("198.51.100.254", net.RELAY_V4, 1, echo, b"\x81\x00\xa0\x07")
        self.wait_for_drop("unknown_ethertype", before + 1)


class RoleTest(LabCase):
    """Clients come by one port, plain traffic by the other, and neither by both."""

    LAB = LabCase.LAB.replace("tst", "rol")

    @classmethod
    def prepare(cls):
        cls.add_clients()
        config = cls.lab.relay_config(users=cls.users())
        config["listen"] = {"udp_ports": [net.PORT, 443]}
        config["ports"][0]["role"] = "tunnel"
        config["ports"][1]["role"] = "egress"
        cls.lab.start_relay(**config)
        cls.connect_both()

    def test_another_udp_port_is_answered_from(self):
        site, client = self.b(), self.lab.clients["b"]
        before = client.last_handshake()
        site.run("wg", "set", client.device, "peer", self.lab.relay_key, "remove")
        client.configure(client.settings(self.lab.relay_key, f"{net.RELAY_V4}:443"))
        self.assert_reaches(site, net.TUNNEL_V4, net.FAR_V4)
        self.assertGreaterEqual(client.last_handshake(), before)
        self.assertEqual(client.show("endpoints"), f"{net.RELAY_V4}:443")
        self.assertIn("UDP port 51820, 443", self.relay.ctl("status").stdout)

    def test_what_belongs_there_passes(self):
        self.assert_reaches(self.a(), net.FAR_V4, net.FAR_V6, "10.77.0.3")
        self.assert_reaches(self.lab.internet, "10.77.0.2", "fd77::2", "192.0.2.2")

    def test_what_does_not_is_told(self):
        before = self.relay.drops().get("wrong_role", 0)
        self.lab.transit.route("10.77.0.0/24", "via", net.RELAY_V4)
        self.assert_cut_off(self.lab.transit, "10.77.0.2")
        self.assertGreaterEqual(self.relay.drops().get("wrong_role", 0), before + 5)

    def test_ports_tell_of_it(self):
        ports = {p["name"]: p for p in self.relay.call("port.list")["ports"]}
        self.assertEqual({n: p["role"] for n, p in ports.items()},
                         {"wan": "tunnel", "inet": "egress"})
        self.assertEqual(ports["wan"]["driver"], "net_af_packet")
        self.assertEqual((ports["wan"]["rx_queues"], ports["wan"]["rx_descriptors"]), (1, 1024))
        self.assertIn("net_af_packet", self.relay.ctl("ports").stdout)


class InterfaceTest(LabCase):
    """Interfaces that go, and such whose offloads spoil packets."""

    LAB = LabCase.LAB.replace("tst", "itf")

    @classmethod
    def prepare(cls):
        cls.lab.relay_side.run("ethtool", "-K", "wan", "gro", "on", "tx", "on")
        cls.lab.start_relay()

    def test_1_offloads_are_warned_of(self):
        log = self.relay.log.read_text()
        self.assertIn('"ethtool -K wan gro off tx off', log)
        self.assertNotIn("ethtool -K inet", log)

    def test_2_one_that_is_made_anew_ends_the_relay(self):
        self.lab.relay_side.ip("link", "delete", "wan")
        until(lambda: "interface wan is no more" in self.relay.log.read_text(), 5, "word of it")
        self.assertIsNone(self.relay.process.poll())
        # The other port goes on.
        self.assert_no_loss(ping(self.lab.internet, "192.0.2.2"))
        link(self.lab.relay_side, "wan", self.lab.transit, "relay2")
        until(lambda: self.relay.process.poll() is not None, 10, "end of the relay")
        self.assertEqual(self.relay.process.returncode, 1)
        self.assertIn("interface wan was made anew", self.relay.log.read_text())
