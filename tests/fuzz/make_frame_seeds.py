"""Writes tests/fuzz/corpus/frame: one input of fuzz_frame for each way through the data path;
tests/fuzz/corpus/relaygen_frame: one of each kind of frame that relaygen reads; and
tests/fuzz/corpus/datagram: one of each kind that fuzz_datagram tells apart.

Addresses are those of tests/support/data_path.h; its clients are the first two that it adds.
"""

import ipaddress
import pathlib
import struct

CORPUS = pathlib.Path(__file__).resolve().parent / "corpus"
# The first byte of an input, as fuzz_frame.cc reads it.
ETHERNET, DATAGRAM, TUNNEL = 1, 2, 3
PORT_1, V6, ARP, MENDED = 4, 8, 16, 32
ICMP, UDP, ICMP6 = 1, 17, 58


def packed(address: str) -> bytes:
    return ipaddress.ip_address(address).packed


def checksum(data: bytes) -> int:
    total = sum(struct.unpack(f">{len(data + bytes(len(data) % 2)) // 2}H",
                              data + bytes(len(data) % 2)))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return total ^ 0xffff


def ip(source: str, target: str, protocol: int, payload: bytes, hops: int = 64) -> bytes:
    addresses = packed(source) + packed(target)
    if ":" in source:
        return struct.pack(">IHBB", 6 << 28, len(payload), protocol, hops) + addresses + payload
    head = struct.pack(">BBHHHBB", 0x45, 0, 20 + len(payload), 1, 0, hops, protocol)
    return head + struct.pack(">H", checksum(head + addresses)) + addresses + payload


def icmp(source: str, target: str, kind: int, body: bytes, hops: int = 64) -> bytes:
    protocol = ICMP6 if ":" in source else ICMP
    pseudo = packed(source) + packed(target) + struct.pack(">II", 4 + len(body), ICMP6)
    covered = (pseudo if protocol == ICMP6 else b"") + bytes([kind, 0, 0, 0]) + body
    message = bytes([kind, 0]) + struct.pack(">H", checksum(covered)) + body
    return ip(source, target, protocol, message, hops)


def echo(source: str, target: str) -> bytes:
    return icmp(source, target, 128 if ":" in source else 8, b"\x12\x34\x00\x01ping")


def udp(source: str, target: str) -> bytes:
    return ip(source, target, UDP, struct.pack(">HHHH", 1234, 53, 16, 0) + b"question")


def arp(operation: int, sender: str, target: str) -> bytes:
    return (struct.pack(">HHBBH", 1, 0x0800, 6, 4, operation) + bytes([2, 0, 0, 0, 0, 0x10])
            + packed(sender) + bytes(6) + packed(target))


def neighbour(kind: int, source: str, target: str, about: str) -> bytes:
    option = bytes([1 if kind == 135 else 2, 1, 2, 0, 0, 0, 0, 0x10])
    return icmp(source, target, kind, bytes(4) + packed(about) + option, hops=255)


SEEDS = {
    "tunnel_v4_to_network": (TUNNEL, udp("10.0.1.1", "203.0.113.9")),
    "tunnel_v6_to_network": (TUNNEL | V6, udp("fd00::102", "2001:db8:99::9")),
    "tunnel_v4_to_peer": (TUNNEL, udp("10.0.1.1", "10.0.1.2")),
    "tunnel_v6_to_peer": (TUNNEL | V6, udp("fd00::102", "fd00::101")),
    "tunnel_to_unknown_neighbour": (TUNNEL, udp("10.0.1.1", "198.51.100.77")),
    "tunnel_echo_v4": (TUNNEL, echo("10.0.1.1", "10.0.0.1")),
    "tunnel_echo_v6": (TUNNEL | V6, echo("fd00::102", "fd00::1")),
    "tunnel_mended_v4": (TUNNEL | MENDED, udp("10.0.1.1", "203.0.113.9")),
    "tunnel_mended_v6": (TUNNEL | V6 | MENDED, udp("fd00::102", "fd00::101")),
    "tunnel_keepalive": (TUNNEL, b""),
    "network_v4_to_peer": (ETHERNET | PORT_1, udp("203.0.113.9", "10.0.1.1")),
    "network_v6_to_peer": (ETHERNET | PORT_1 | V6, udp("2001:db8:99::9", "fd00::101")),
    "network_mended_v4": (ETHERNET | PORT_1 | MENDED, udp("203.0.113.9", "10.0.1.2")),
    "port_echo_v4": (ETHERNET, echo("192.0.2.9", "192.0.2.1")),
    "port_echo_v6": (ETHERNET | V6, echo("2001:db8:1::9", "2001:db8:1::1")),
    "arp_request": (ETHERNET | ARP, arp(1, "192.0.2.9", "192.0.2.1")),
    "arp_reply": (ETHERNET | ARP, arp(2, "192.0.2.9", "192.0.2.1")),
    "neighbour_solicitation": (ETHERNET | V6,
                               neighbour(135, "fe80::9", "2001:db8:1::1", "2001:db8:1::1")),
    "neighbour_advertisement": (ETHERNET | V6,
                                neighbour(136, "fe80::9", "2001:db8:1::1", "fe80::9")),
    "initiation": (DATAGRAM | MENDED, struct.pack("<I", 1) + bytes(range(144))),
    "response": (DATAGRAM | V6 | MENDED, struct.pack("<I", 2) + bytes(range(88))),
    "cookie_reply": (DATAGRAM | MENDED, struct.pack("<I", 3) + bytes(range(60))),
    "unknown_session": (DATAGRAM, struct.pack("<III", 4, 7, 0) + bytes(20)),
}


def ethernet(kind: int, rest: bytes) -> bytes:
    return bytes([2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2]) + struct.pack(">H", kind) + rest


RELAYGEN_SEEDS = {
    "udp_v4": ethernet(0x0800, udp("203.0.113.9", "10.0.1.1")),
    "udp_v6": ethernet(0x86dd, udp("2001:db8:99::9", "fd00::101")),
    "arp_request": ethernet(0x0806, arp(1, "192.0.2.9", "192.0.2.1")),
    "arp_reply": ethernet(0x0806, arp(2, "192.0.2.9", "192.0.2.1")),
    "neighbour_solicitation":
        ethernet(0x86dd, neighbour(135, "fe80::9", "2001:db8:1::1", "2001:db8:1::1")),
    "neighbour_advertisement":
        ethernet(0x86dd, neighbour(136, "fe80::9", "2001:db8:1::1", "fe80::9")),
}

def quoted(source: str, target: str) -> bytes:
    """The start of a transport message of 1,480 bytes and its headers."""
    message = struct.pack("<III", 4, 0x12345678, 1) + bytes(20)
    packet = ip(source, target, UDP, struct.pack(">HHHH", 51820, 4000, 1480, 0)
                + message.ljust(1472, b"\0"))
    if ":" not in source:
        packet = packet[:6] + b"\x40" + packet[7:]  # not to be cut: only then routers complain
    return packet[:len(packet) - 1472 + len(message)]


DATAGRAM_SEEDS = {
    "frame_v4": bytes([0]) + ethernet(0x0800, udp("203.0.113.9", "192.0.2.1")),
    "frame_v6": bytes([0]) + ethernet(0x86dd, udp("2001:db8:99::9", "2001:db8:1::1")),
    "packet_v4": bytes([1]) + udp("10.0.1.1", "203.0.113.9"),
    "packet_v6": bytes([1]) + udp("fd00::102", "2001:db8:99::9"),
    "message_v4": bytes([2]) + packed("203.0.113.9") + bytes(12) + b"\x12\x34message",
    "message_v6": bytes([3]) + packed("2001:db8:99::9") + b"\x12\x34a message",
    "report_v4": bytes([0x10]) + struct.pack(">BBHI", 3, 4, 0, 1400)
        + quoted("192.0.2.1", "203.0.113.5"),
    "report_v6": bytes([0x11]) + struct.pack(">BBHI", 2, 0, 0, 1400)
        + quoted("2001:db8::1", "2001:db8:b::2"),
}


def write(folder: str, seeds: dict[str, bytes]):
    (CORPUS / folder).mkdir(parents=True, exist_ok=True)
    for name, seed in seeds.items():
        (CORPUS / folder / name).write_bytes(seed)


if __name__ == "__main__":
    write("frame", {name: bytes([how]) + rest for name, (how, rest) in SEEDS.items()})
    write("relaygen_frame", RELAYGEN_SEEDS)
    write("datagram", DATAGRAM_SEEDS)
