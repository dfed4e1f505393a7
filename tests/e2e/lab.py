"""The lab: a relay with two client sites and one internet, each in a network namespace.

    site a ── 203.0.113.0/25 ──┐                                              ┌ 198.18.0.1
              2001:db8:a::/64  │ transit ── 198.51.100.0/24 ── relay ── 192.0.2.0/24 ── internet
    site b ── 203.0.113.128/25 ┘            2001:db8:1::/64  wan    inet  2001:db8:2::/64
              2001:db8:b::/64                                                 └ 2001:db8:99::1

The relay's two ports are DPDK af_packet ports on veth; the kernel has no address there. `transit`
routes between the sites and the relay, so the relay reaches them through its gateway.
"""

import pathlib
import shutil

from tests.e2e.client import Client, new_key, public_key
from tests.e2e.netns import Namespace, link, remove_namespaces
from tests.e2e.relay import Relay

PORT = 51820
RELAY_V4, RELAY_V6 = "198.51.100.1", "2001:db8:1::1"
ENDPOINT_V4, ENDPOINT_V6 = f"{RELAY_V4}:{PORT}", f"[{RELAY_V6}]:{PORT}"
TUNNEL_V4, TUNNEL_V6 = "10.77.0.1", "fd77::1"        # the relay's own, inside
INTERNET_V4, INTERNET_V6 = "192.0.2.1", "2001:db8:2::1"  # the relay's next hop
FAR_V4, FAR_V6 = "198.18.0.1", "2001:db8:99::1"      # beyond it

SITES = {  # outer address and gateway, of both families
    "a": (("203.0.113.2/25", "203.0.113.1"), ("2001:db8:a::2/64", "2001:db8:a::1")),
    "b": (("203.0.113.130/25", "203.0.113.129"), ("2001:db8:b::2/64", "2001:db8:b::1")),
}

# The af_packet ring: 2,048 frames of 2 KiB each way.
RING = "blocksz=4096,framesz=2048,framecnt=2048"


def folder_of(name: str) -> pathlib.Path:
    return pathlib.Path("/run") / name


def remove(name: str):
    """Takes down the lab of that name, whoever started it."""
    remove_namespaces(f"{name}-")
    shutil.rmtree(folder_of(name), ignore_errors=True)


class Lab:
    """`name` begins the names of all namespaces and devices; what an earlier lab of that name left
    is removed first."""

    def __init__(self, name: str):
        self.name = name
        self.folder = folder_of(name)
        self.clients: dict[str, Client] = {}
        self.relay: Relay | None = None
        remove(name)
        self.folder.mkdir(mode=0o700)
        try:
            self.build_networks()
        except BaseException:
            self.down()
            raise

    def build_networks(self):
        self.internet = Namespace(f"{self.name}-internet")
        self.transit = Namespace(f"{self.name}-transit")
        self.relay_side = Namespace(f"{self.name}-relay")
        self.sites = {site: Namespace(f"{self.name}-{site}") for site in SITES}

        # The relay's kernel keeps out of what is DPDK's.
        self.relay_side.sysctl("ipv6.conf.all.disable_ipv6=1")
        self.relay_side.sysctl("ipv6.conf.default.disable_ipv6=1")
        link(self.relay_side, "wan", self.transit, "relay")
        link(self.relay_side, "inet", self.internet, "relay")

        self.transit.address("relay", "198.51.100.254/24", "2001:db8:1::fe/64")
        self.transit.sysctl("ipv4.ip_forward=1")
        self.transit.sysctl("ipv6.conf.all.forwarding=1")
        for site, namespace in self.sites.items():
            link(namespace, "uplink", self.transit, f"site-{site}")
            for address, gateway in SITES[site]:
                namespace.address("uplink", address)
                self.transit.address(f"site-{site}", f"{gateway}/{address.split('/')[1]}")
                namespace.route("default", "via", gateway)

        self.internet.address("relay", f"{INTERNET_V4}/24", f"{INTERNET_V6}/64")
        self.internet.address("lo", f"{FAR_V4}/32", f"{FAR_V6}/128")
        self.internet.route("10.77.0.0/16", "via", "192.0.2.2")
        self.internet.route("fd77::/64", "via", "2001:db8:2::2")

    def relay_config(self, **changes) -> dict:
        """The relay's configuration; `changes` replace whole sections."""
        key_file = self.folder / "relay.key"
        if not key_file.exists():
            key_file.touch(mode=0o600)
            key_file.write_text(new_key() + "\n")
        return {
            "identity": {"private_key_file": str(key_file)},
            "listen": {"udp_port": PORT},
            "public_endpoint": ENDPOINT_V4,
            "ports": [
                {"name": "wan", "device": f"net_af_packet0,iface=wan,{RING}",
                 "addresses": [f"{RELAY_V4}/24", f"{RELAY_V6}/64"],
                 "gateways": ["198.51.100.254", "2001:db8:1::fe"]},
                {"name": "inet", "device": f"net_af_packet1,iface=inet,{RING}",
                 "addresses": ["192.0.2.2/24", "2001:db8:2::2/64"],
                 "gateways": [INTERNET_V4, INTERNET_V6], "egress": True},
            ],
            "tunnel_addresses": [TUNNEL_V4, TUNNEL_V6],
            "workers": {"cores": [1], "control_core": 0, "polling": "adaptive"},
            "control_socket": str(self.folder / "relayd.sock"),
            "store": "none",
            "http": {"listen": "none"},
        } | changes

    def start_relay(self, **changes) -> Relay:
        self.relay = Relay(self.relay_side, self.folder, self.relay_config(**changes))
        self.relay.start()
        return self.relay

    @property
    def relay_key(self) -> str:
        return public_key((self.folder / "relay.key").read_text().strip())

    def client(self, site: str, preshared_key: str | None = None) -> Client:
        """The client of a site, not yet up: 10.77.0.2 and fd77::2 at site a, .3 at site b."""
        host = 2 + list(SITES).index(site)
        client = Client(self.sites[site], f"{self.name}-{site}",
                        [f"10.77.0.{host}/32", f"fd77::{host}/128"], preshared_key)
        self.clients[site] = client
        return client

    def connect(self, site: str, endpoint: str | None = ENDPOINT_V4, **options):
        """Brings the site's client up, with settings of our own."""
        client = self.clients[site]
        self.up(site, client.settings(self.relay_key, endpoint, **options))

    def up(self, site: str, settings: str):
        """Brings the site's client up; all that it sends to labs' addresses goes into the tunnel."""
        self.clients[site].up(
            settings,
            ["10.77.0.0/24", "192.0.2.0/24", f"{FAR_V4}/32",
             "fd77::/64", "2001:db8:2::/64", f"{FAR_V6}/128"])

    def peer(self, site: str, **fields) -> dict:
        """The site's client as a peer of a configuration or a request."""
        client = self.clients[site]
        peer = {"name": f"{site}-laptop", "public_key": client.public_key,
                "allowed_ips": client.addresses}
        if client.preshared_key:
            peer["preshared_key"] = client.preshared_key
        return peer | fields

    def down(self):
        """Leaves nothing behind; may be called at any time and twice."""
        for client in self.clients.values():
            client.down()
        if self.relay:
            self.relay.stop()
        remove(self.name)
