"""Protects the files for other generators: they offer what relaygen's peers file expects, in sizes
that are IP packets'. Neither generator is at hand: TRex's library is one in miniature, and of
Pktgen's file only the settings are read."""

import pathlib
import re
import runpy
import sys
import types
import unittest
from unittest import mock

CONF = pathlib.Path(__file__).resolve().parents[3] / "conf"
HEADERS = {"Ether": 14, "IP": 20, "UDP": 8}
FIRST_CLIENT = "10.64.0.2"


class Layers:
    """As much of Scapy as stacks headers and counts bytes."""

    def __init__(self, count, fields):
        self.count, self.fields = count, fields

    def __truediv__(self, other):
        more = {} if isinstance(other, str) else other.fields
        return Layers(self.count + len(other), self.fields | more)

    def __len__(self):
        return self.count


def library() -> types.ModuleType:
    """TRex's, in which every call is kept as what it was called with."""
    api = types.ModuleType("trex_stl_lib.api")
    for name, count in HEADERS.items():
        setattr(api, name, lambda count=count, **fields: Layers(count, fields))
    for name in ("STLPktBuilder", "STLScVmRaw", "STLStream", "STLTXCont", "STLVmFixIpv4",
                 "STLVmFlowVar", "STLVmWrFlowVar"):
        setattr(api, name, lambda *args, **fields: types.SimpleNamespace(args=args, **fields))
    return api


class TrexTest(unittest.TestCase):
    def streams(self, *tunables: str):
        """As TRex's console asks for them."""
        modules = {"trex_stl_lib": types.ModuleType("trex_stl_lib"), "trex_stl_lib.api": library()}
        with mock.patch.dict(sys.modules, modules):
            profile = runpy.run_path(str(CONF / "trex" / "plain_to_tunnel.py"))["register"]()
            return profile.get_streams(direction=0, port_id=0, tunables=list(tunables))

    def test_sizes_are_those_of_ip_packets(self):
        stream, = self.streams("--size", "128")
        self.assertEqual(len(stream.packet.pkt), 14 + 128)

    def test_imix_is_relaygens(self):
        streams = self.streams("--size", "imix")
        self.assertEqual([(len(s.packet.pkt) - 14, s.mode.pps) for s in streams],
                         [(64, 7), (576, 4), (1420, 1)])

    def test_clients_are_those_of_the_peers_file(self):
        stream, = self.streams("--clients", "300")
        client = stream.packet.vm.args[0][0]
        self.assertEqual((client.min_value, client.max_value), (FIRST_CLIENT, "10.64.1.45"))
        self.assertEqual(stream.packet.pkt.fields["dst"], FIRST_CLIENT)


class PktgenTest(unittest.TestCase):
    def setUp(self):
        self.text = (CONF / "pktgen" / "plain-to-tunnel.lua").read_text()

    def test_every_field_of_the_range_is_set(self):
        """What is not set keeps Pktgen's own default, TCP for one."""
        for field in ("dst_ip", "src_ip", "dst_port", "src_port", "pkt_size"):
            kinds = set(re.findall(rf'^pktgen\.range\.{field}\("0", "(\w+)",', self.text, re.M))
            self.assertEqual(kinds, {"start", "inc", "min", "max"}, field)
        self.assertIn('pktgen.range.ip_proto("0", "udp")', self.text)

    def test_clients_are_those_of_the_peers_file(self):
        self.assertIn(f'local first     = "{FIRST_CLIENT}"', self.text)
        self.assertIn('local last      = "10.64.3.233"', self.text)  # 999 further on
