"""Writes tests/fuzz/corpus/neighbours: inputs of fuzz_neighbours, each a list of events.

Numbers of MACs and hosts are those of fuzz_neighbours.cc.
"""

import pathlib

FOLDER = pathlib.Path(__file__).resolve().parent / "corpus" / "neighbours"
OURS, HOST, OTHER, BROADCAST = 0, 2, 3, 4  # MACs
OUR_ADDRESS, GATEWAY, FAR = 0, 2, 15  # addresses
OUR_ADDRESS6, GATEWAY6, HOST6 = 8, 10, 12
TO_US, ARP, QUESTION, SOLICITED, OVERRIDE = 1, 2, 4, 64, 32  # how a message is made


def discover(how: int, mac: int, sender: int, target: int) -> bytes:
    return bytes([1, how, mac, sender, target])


def reply(mac: int, sender: int) -> bytes:
    return discover(TO_US | ARP, mac, sender, OUR_ADDRESS)


def ask(mac: int, sender: int) -> bytes:
    return discover(ARP | QUESTION, mac, sender, OUR_ADDRESS)


def advertise(mac: int, target: int) -> bytes:
    return discover(TO_US | SOLICITED | OVERRIDE, mac, target, target)


def solicit(mac: int, sender: int) -> bytes:
    return discover(TO_US | QUESTION, mac, sender, OUR_ADDRESS6)


def wait(exponent: int) -> bytes:
    """2 ** exponent hundredths of a second."""
    return bytes([5 | exponent << 3])


def packet(host: int, number: int = 15, port: int = 0) -> bytes:
    """To a host without an adjacency, or to one of a number."""
    return bytes([3 | port << 3 | number << 4, host])


def path(host: int, hold: bool = False) -> bytes:
    return bytes([6 | (32 if hold else 0), host])


SEEDS = {
    "resolved": path(FAR) + wait(0) + reply(HOST, GATEWAY) + path(FAR) + wait(12) + wait(7),
    "silent": wait(0) + reply(HOST, GATEWAY) + (wait(12) + wait(7) * 6) + path(FAR)
              + reply(OTHER, GATEWAY) + path(FAR),
    "silent6": wait(0) + advertise(HOST, GATEWAY6) + (wait(12) + wait(7) * 6)
               + advertise(OTHER, GATEWAY6),
    "failed": packet(0x52) + wait(7) * 6 + path(HOST6, hold=True) + wait(7) * 6,
    "lies": wait(0) + reply(OURS, GATEWAY) + reply(1, GATEWAY) + advertise(OURS, GATEWAY6)
            + ask(OURS, GATEWAY) + reply(BROADCAST, GATEWAY),
    "askers": b"".join(ask(HOST, 0x12 + 4 * i) for i in range(40)) + wait(0),
    "sweep": b"".join(packet(0x12 + 4 * i) for i in range(40)) + wait(1)
             + b"".join(packet(0x13 + 4 * i) for i in range(40)) + wait(15),
    "asked": ask(HOST, 0x52) + solicit(HOST, HOST6) + packet(0x52, number=4) + packet(HOST6, number=5),
    "nobody": packet(OUR_ADDRESS) + packet(FAR) + packet(0x52, number=2) + bytes([4, 0x45]),
    "used": ask(HOST, 0x52) + bytes([7 | 8 | 4 << 4]) + wait(12) + wait(13) + wait(15)
            + bytes([7 | 4 << 4]) + wait(15) * 8,
    "raw": bytes([0, 28]) + bytes(28) + bytes([8, 60]) + bytes(60),
}

if __name__ == "__main__":
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, events in SEEDS.items():
        (FOLDER / name).write_bytes(events)
