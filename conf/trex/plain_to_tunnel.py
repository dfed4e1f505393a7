"""TRex, stateless: plain packets for clients of the relay, to be sealed by it (docs/pktgen.md).

    ./t-rex-64 -i --cfg /path/to/conf/trex/trex_cfg.yaml
    ./trex-console
    trex> start -f /path/to/conf/trex/plain_to_tunnel.py -p 0 -m 100% -t --size imix --clients 1000
"""

import argparse

from trex_stl_lib.api import (IP, UDP, Ether, STLPktBuilder, STLScVmRaw, STLStream, STLTXCont,
                              STLVmFixIpv4, STLVmFlowVar, STLVmWrFlowVar)

FIRST_CLIENT = (10 << 24) + (64 << 16) + 2   # 10.64.0.2, as `relaygen peers` counts them
SOURCE = "192.0.2.1"                         # the relay's gateway on its plain port
IMIX = ((64, 7), (576, 4), (1420, 1))        # inner bytes and share, as relaygen's


def address(number: int) -> str:
    return ".".join(str(number >> shift & 0xff) for shift in (24, 16, 8, 0))


class PlainToTunnel:
    def stream(self, inner: int, share: int, clients: int) -> STLStream:
        first, last = address(FIRST_CLIENT), address(FIRST_CLIENT + clients - 1)
        headers = Ether() / IP(src=SOURCE, dst=first) / UDP(sport=32768, dport=9)
        padding = max(0, inner - len(headers) + len(Ether())) * "x"
        program = STLScVmRaw([
            STLVmFlowVar("client", min_value=first, max_value=last, size=4, op="inc"),
            STLVmWrFlowVar("client", pkt_offset="IP.dst"),
            STLVmFlowVar("port", min_value=32768, max_value=65535, size=2, op="inc"),
            STLVmWrFlowVar("port", pkt_offset="UDP.sport"),
            STLVmFixIpv4(offset="IP")])
        return STLStream(packet=STLPktBuilder(pkt=headers / padding, vm=program),
                         mode=STLTXCont(pps=share))

    def get_streams(self, tunables=(), **_):
        parser = argparse.ArgumentParser(prog="plain_to_tunnel.py")
        parser.add_argument("--size", default="576", help="bytes of the IP packets, or imix")
        parser.add_argument("--clients", type=int, default=1000)
        asked = parser.parse_args(tunables)
        parts = IMIX if asked.size == "imix" else ((int(asked.size), 1),)
        return [self.stream(inner, share, asked.clients) for inner, share in parts]


def register():
    return PlainToTunnel()
