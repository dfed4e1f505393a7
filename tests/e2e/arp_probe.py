"""ARP probes all the time, from within a namespace: python3 arp_probe.py DEVICE OUR_IP THEIR_IP SECONDS

Asks every SECONDS until it gets SIGINT, and then prints as JSON how many it sent and how long each
answer took, in seconds by the kernel's own time stamps of the frames where it has them.
"""

import json
import select
import signal
import socket
import struct
import sys
import time

ETH_P_ARP = 0x0806
SO_TIMESTAMPNS = 35
LONGEST_WAIT = 2  # seconds, for the answers to the last probes


def request(mac: bytes, ours: bytes, theirs: bytes) -> bytes:
    return (b"\xff" * 6 + mac + struct.pack("!HHHBBH", ETH_P_ARP, 1, 0x0800, 6, 4, 1)
            + mac + ours + bytes(6) + theirs)


class Probe:
    """Answers carry no number: each is taken for the oldest probe that has none."""

    def __init__(self, device: str, ours: str, theirs: str):
        self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ARP))
        self.socket.bind((device, ETH_P_ARP))
        self.socket.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        self.ours, self.theirs = socket.inet_aton(ours), socket.inet_aton(theirs)
        self.frame = request(self.socket.getsockname()[4], self.ours, self.theirs)
        self.sent = 0
        self.open: list[float] = []
        self.took: list[float] = []

    def ask(self):
        self.open.append(time.time())
        self.socket.send(self.frame)
        self.sent += 1

    def listen(self, until: float):
        while (left := until - time.monotonic()) > 0:
            if select.select([self.socket], [], [], left)[0]:
                self.take(*self.socket.recvmsg(2048, 256))

    def take(self, frame: bytes, ancillary, *_):
        """An answer to us; our own probes and what others ask is passed over."""
        if frame[20:22] != b"\0\2" or frame[28:32] != self.theirs or frame[38:42] != self.ours:
            return
        at = time.time()
        for _, kind, data in ancillary:
            if kind == SO_TIMESTAMPNS:
                seconds, nanoseconds = struct.unpack("qq", data)
                at = seconds + nanoseconds / 1e9
        if self.open:
            self.took.append(at - self.open.pop(0))


def main():
    device, ours, theirs, pause = sys.argv[1:]
    going = True

    def stop(*_):
        nonlocal going
        going = False

    signal.signal(signal.SIGINT, stop)
    probe = Probe(device, ours, theirs)
    due = time.monotonic()
    while going:
        probe.ask()
        due = max(due + float(pause), time.monotonic())
        probe.listen(due)
    deadline = time.monotonic() + LONGEST_WAIT
    while probe.open and time.monotonic() < deadline:
        probe.listen(time.monotonic() + 0.01)
    print(json.dumps({"sent": probe.sent, "took": probe.took}))


if __name__ == "__main__":
    main()
