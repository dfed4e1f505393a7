"""What the end-to-end test cases share: a lab for each class, users alice and bob, their clients."""

import os
import pathlib
import re
import unittest

from tests.e2e import lab as net
from tests.e2e.measure import Replies, ping
from tests.e2e.netns import alone_on_this_machine, is_running
from tests.e2e.relay import RELAYCTL, RELAYD


def why_not_here() -> str | None:
    """Why end-to-end tests cannot run on this machine, and how they could."""
    if os.geteuid() != 0:
        return "needs root for network namespaces: run as root"
    if not pathlib.Path("/dev/net/tun").exists():
        return "needs /dev/net/tun for wireguard-go: modprobe tun"
    if not (RELAYD.exists() and RELAYCTL.exists()):
        return f"needs {RELAYD}: meson setup build && ninja -C build"
    return None


def lab_name(kind: str) -> str:
    """Of this process alone. Short: names of devices begin with it and have 15 characters."""
    return f"wl-{kind}{os.getpid()}"


def remove_stale_labs():
    """What test runs that were killed have left (but not benchmarks, which know what else is
    theirs)."""
    with alone_on_this_machine():
        for folder in pathlib.Path("/run").glob("wl-*"):
            owner = re.fullmatch(r"wl-(?!bch)[a-z]{3}(\d+)", folder.name)
            if owner and not is_running(int(owner.group(1))):
                net.remove(folder.name)


class LabCase(unittest.TestCase):
    """A running relay with users alice (site a) and bob (site b), both connected."""

    LAB = lab_name("tst")

    @classmethod
    def setUpClass(cls):
        if reason := why_not_here():
            raise unittest.SkipTest(reason)
        remove_stale_labs()
        cls.lab = net.Lab(cls.LAB)
        cls.addClassCleanup(cls.lab.down)
        cls.prepare()

    @classmethod
    def prepare(cls):
        """Starts relay and clients; classes with other wishes override it."""
        cls.add_clients()
        cls.lab.start_relay(users=cls.users())
        cls.connect_both()

    @classmethod
    def add_clients(cls):
        for site in net.SITES:
            cls.lab.client(site)

    @classmethod
    def users(cls) -> list[dict]:
        return [{"name": "alice", "peers": [cls.lab.peer("a")]},
                {"name": "bob", "peers": [cls.lab.peer("b")]}]

    @classmethod
    def connect_both(cls):
        """a over IPv4, b over IPv6; returns when both have a session."""
        for site, endpoint in (("a", net.ENDPOINT_V4), ("b", net.ENDPOINT_V6)):
            cls.lab.connect(site, endpoint)
            ping(cls.lab.sites[site], net.TUNNEL_V4, count=1)
            cls.lab.clients[site].wait_for_handshake()

    # Shorter words for tests. ------------------------------------------------------------------

    @property
    def relay(self):
        return self.lab.relay

    def a(self):
        return self.lab.sites["a"]

    def b(self):
        return self.lab.sites["b"]

    def assert_no_loss(self, replies: Replies, at_least: int = 1):
        self.assertEqual(replies.lost, 0, f"{replies.lost} of {replies.sent} lost; drops: "
                                          f"{self.relay.drops()}")
        self.assertGreaterEqual(replies.received, at_least)

    def assert_reaches(self, namespace, *targets: str, count: int = 5):
        for target in targets:
            with self.subTest(target=target):
                self.assert_no_loss(ping(namespace, target, count=count))

    def assert_cut_off(self, namespace, target: str):
        self.assertEqual(ping(namespace, target, count=5).received, 0)


def ttl_of_reply(namespace, target: str) -> int:
    output = namespace.run("ping", "-n", "-c", "1", "-W", "1", target).stdout
    return int(re.search(r"ttl=(\d+)", output).group(1))
