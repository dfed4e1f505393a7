"""Protects address pools: a device that is added without addresses gets its own, in a client file
with which a real client connects, and has it again when it comes back."""

import re

from tests.e2e import lab as net
from tests.e2e.case import LabCase
from tests.e2e.measure import ping


class PoolsTest(LabCase):
    @classmethod
    def prepare(cls):
        cls.add_clients()
        cls.lab.start_relay(users=[{"name": "alice"}], address_pools=[
            {"prefix": "10.77.0.0/24", "reserved": ["10.77.0.2"]}, {"prefix": "fd77::/64"}])

    def used(self) -> list[int]:
        return [pool["used"] for pool in self.relay.call("status.get")["address_pools"]]

    def test_a_generated_client_file_has_the_next_addresses(self):
        before = self.used()
        text = self.relay.ctl("peer", "add", "phone", "--user", "alice", "--generate").stdout
        # 10.77.0.1 and fd77::1 are the relay's, and 10.77.0.2 is reserved.
        self.assertRegex(text, r"Address = 10\.77\.0\.([3-9]|\d\d)/32, fd77::[2-9a-f]+/128")
        self.assertEqual(self.used(), [n + 1 for n in before])
        self.assertIn(f"{before[0] + 1} of 252", self.relay.ctl("status").stdout)
        self.relay.call("peer.remove", {"name": "phone"})

    def test_a_client_that_comes_back_has_its_address(self):
        client = self.lab.clients["a"]
        key = self.lab.peer("a")["public_key"]
        addresses = []
        for name in ("first", "second"):
            self.relay.ctl("peer", "add", name, "--user", "alice", "--public-key", key)
            addresses.append(self.relay.call("peer.get", {"name": name})["allowed_ips"])
            self.relay.call("peer.remove", {"name": name})
            self.relay.ctl("peer", "add", "other-" + name, "--user", "alice", "--generate")
        self.assertEqual(addresses[0], addresses[1])
        # And it works: what it has, it may send from.
        self.relay.ctl("peer", "add", "laptop", "--user", "alice", "--public-key", key)
        mine = self.relay.call("peer.get", {"name": "laptop"})["allowed_ips"]
        self.assertEqual(mine, addresses[0])
        self.lab.connect("a", net.ENDPOINT_V4)
        client.namespace.ip("address", "add", mine[0], "dev", client.device)
        source = re.sub("/.*", "", mine[0])
        client.namespace.ip("route", "replace", net.TUNNEL_V4, "dev", client.device, "src", source)
        self.assertEqual(ping(self.a(), net.TUNNEL_V4, count=2).received, 2)

    def test_what_is_said_counts(self):
        self.relay.call("peer.add", {"name": "none", "user": "alice", "allowed_ips": [],
                                     "public_key": self.lab.peer("b")["public_key"]})
        self.assertEqual(self.relay.call("peer.get", {"name": "none"})["allowed_ips"], [])
