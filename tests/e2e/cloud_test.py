"""Protects: a relay as cloud providers have it: each port has a /32 and a /128 to itself, and gateways
that lie in no network of the port. Clients come by them, and reach the internet by them."""

from tests.e2e import lab as net
from tests.e2e.case import LabCase, lab_name
from tests.e2e.measure import ping
from tests.e2e.netns import Namespace

GATEWAYS = {"wan": ["172.31.1.1", "2001:db8:ffff::1"], "inet": ["172.31.2.1", "2001:db8:ffff::2"]}
ADDRESSES = {"wan": [f"{net.RELAY_V4}/32", f"{net.RELAY_V6}/128"],
             "inet": ["192.0.2.2/32", "2001:db8:2::2/128"]}


def become_gateway(namespace: Namespace, port: str, was: list[str]):
    """It has addresses of its own, and the relay's lie behind its device."""
    for address in was:
        namespace.ip("address", "del", address, "dev", "relay")
    v4, v6 = GATEWAYS[port]
    namespace.address("relay", f"{v4}/32", f"{v6}/128")
    for address in ADDRESSES[port]:
        namespace.route(address, "dev", "relay")


class CloudTest(LabCase):
    LAB = lab_name("cloud")

    @classmethod
    def prepare(cls):
        cls.add_clients()
        become_gateway(cls.lab.transit, "wan", ["198.51.100.254/24", "2001:db8:1::fe/64"])
        become_gateway(cls.lab.internet, "inet", [f"{net.INTERNET_V4}/24", f"{net.INTERNET_V6}/64"])
        cls.lab.internet.route("10.77.0.0/16", "via", "192.0.2.2", "dev", "relay", "onlink")
        cls.lab.internet.route("fd77::/64", "via", "2001:db8:2::2", "dev", "relay", "onlink")
        ports = cls.lab.relay_config()["ports"]
        for port in ports:
            port |= {"addresses": ADDRESSES[port["name"]], "gateways": GATEWAYS[port["name"]]}
        cls.lab.start_relay(users=cls.users(), ports=ports)
        cls.connect_both()

    def test_either_family_reaches_the_internet(self):
        for target in (net.FAR_V4, net.FAR_V6):
            self.assert_no_loss(ping(self.a(), target, count=3))

    def test_clients_reach_each_other(self):
        for target in ("10.77.0.3", "fd77::3"):
            self.assert_no_loss(ping(self.a(), target, count=2))
