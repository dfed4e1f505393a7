"""The packets inside of the tunnel: UDP and echo over IPv4 and IPv6, made and read."""

import ipaddress
import struct
from dataclasses import dataclass

ICMP, UDP, ICMP6 = 1, 17, 58


def checksum(data: bytes) -> int:
    data += bytes(len(data) % 2)
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total > 0xffff:
        total = (total & 0xffff) + (total >> 16)
    return 0xffff - total


def ip(source: str, target: str, protocol: int, payload: bytes) -> bytes:
    """`payload` has its checksum where `protocol` wants one that covers addresses."""
    s, t = ipaddress.ip_address(source), ipaddress.ip_address(target)
    if s.version == 6:
        return (struct.pack("!IHBB", 6 << 28, len(payload), protocol, 64) + s.packed + t.packed
                + payload)
    head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(payload), 0, 0, 64, protocol, 0)
    head += s.packed + t.packed
    return head[:10] + struct.pack("!H", checksum(head)) + head[12:] + payload


def pseudo_header(source: str, target: str, protocol: int, size: int) -> bytes:
    addresses = ipaddress.ip_address(source).packed + ipaddress.ip_address(target).packed
    return addresses + struct.pack("!II", size, protocol)


def udp(source: str, target: str, payload: bytes, ports: tuple[int, int] = (4000, 4000)) -> bytes:
    size = 8 + len(payload)
    head = struct.pack("!HHH", *ports, size)
    total = checksum(pseudo_header(source, target, UDP, size) + head + bytes(2) + payload)
    return ip(source, target, UDP, head + struct.pack("!H", total or 0xffff) + payload)


def echo(source: str, target: str, number: int, payload: bytes = b"") -> bytes:
    """An echo request."""
    v6 = ":" in source
    message = struct.pack("!BBHHH", 128 if v6 else 8, 0, 0, 1, number) + payload
    covered = pseudo_header(source, target, ICMP6, len(message)) if v6 else b""
    message = message[:2] + struct.pack("!H", checksum(covered + message)) + message[4:]
    return ip(source, target, ICMP6 if v6 else ICMP, message)


@dataclass
class Packet:
    """An inner packet as it came, its padding apart."""

    source: str
    target: str
    protocol: int
    payload: bytes  # behind the IP header
    padding: bytes

    @property
    def is_echo_reply(self) -> bool:
        return (self.protocol, self.payload[0]) in ((ICMP, 0), (ICMP6, 129))

    @property
    def echo_number(self) -> int:
        return struct.unpack("!H", self.payload[6:8])[0]

    @property
    def data(self) -> bytes:
        """Behind the header of UDP or echo, which both have 8 bytes."""
        return self.payload[8:]


def parse(text: bytes) -> Packet:
    if text[0] >> 4 == 6:
        size = 40 + struct.unpack("!H", text[4:6])[0]
        source, target = text[8:24], text[24:40]
        return Packet(str(ipaddress.IPv6Address(source)), str(ipaddress.IPv6Address(target)),
                      text[6], text[40:size], text[size:])
    size = struct.unpack("!H", text[2:4])[0]
    return Packet(str(ipaddress.IPv4Address(text[12:16])), str(ipaddress.IPv4Address(text[16:20])),
                  text[9], text[20:size], text[size:])
