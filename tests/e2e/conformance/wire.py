"""What comes along a site's uplink, outer headers and all."""

import select
import socket
import struct
import time
from dataclasses import dataclass

from tests.e2e.conformance import inner
from tests.e2e.conformance.peer import PATIENCE
from tests.e2e.netns import Namespace

ETH_P_ALL = 3
OUTGOING = 4  # PACKET_OUTGOING of linux/if_packet.h


@dataclass
class Seen:
    """A UDP datagram with its IP header."""

    bytes: bytes

    @property
    def v6(self) -> bool:
        return self.bytes[0] >> 4 == 6

    @property
    def traffic_class(self) -> int:
        """DSCP and ECN."""
        return struct.unpack("!H", self.bytes[:2])[0] >> 4 & 0xff if self.v6 else self.bytes[1]

    @property
    def udp(self) -> bytes:
        return self.bytes[40 if self.v6 else 20:]

    @property
    def message(self) -> bytes:
        return self.udp[8:]

    @property
    def has_checksum(self) -> bool:
        return self.udp[6:8] != bytes(2)

    @property
    def is_whole(self) -> bool:
        """Its checksums are right."""
        packet = inner.parse(self.bytes)
        covered = inner.pseudo_header(packet.source, packet.target, inner.UDP, len(self.udp))
        header = self.v6 or inner.checksum(self.bytes[:20]) == 0
        return header and (not self.has_checksum or inner.checksum(covered + self.udp) == 0)


class Wire:
    """Sees what comes to `port` of the site from now on. Close it."""

    def __init__(self, namespace: Namespace, port: int):
        self.port = port
        self.socket = namespace.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(ETH_P_ALL))
        self.socket.bind(("uplink", ETH_P_ALL))

    def close(self):
        self.socket.close()

    def next(self, kind: int, seconds: float = PATIENCE) -> Seen:
        """The next message of a kind."""
        deadline = time.monotonic() + seconds
        while select.select([self.socket], [], [], max(0, deadline - time.monotonic()))[0]:
            data, address = self.socket.recvfrom(65536)
            if address[2] == OUTGOING or len(data) < 28:
                continue
            seen = Seen(data)
            protocol = data[6 if seen.v6 else 9]
            if (protocol == inner.UDP and seen.message[:1] == bytes([kind])
                    and struct.unpack("!H", seen.udp[2:4])[0] == self.port):
                return seen
        raise TimeoutError(f"no message of type {kind} within {seconds} s")
