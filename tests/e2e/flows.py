"""Packets one way, again and again, on several ways at the same time, and when each arrived.

All are sent by one loop, so that a machine that keeps the sender waiting does so to all of them: a
way that has nothing to do with what is tested shows how long that was.
"""

import select
import socket
import struct
import threading
import time

from tests.e2e.netns import Namespace

PERIOD = 0.005  # seconds
PORT = 5300
SO_TIMESTAMPNS = 35
NUMBER = struct.Struct("!Q")
BUFFER = 1 << 22  # bytes: nobody may read for some seconds


class Flow:
    """UDP from one namespace to an address in another; arrivals by the kernel's own time stamps."""

    def __init__(self, source: Namespace, target: Namespace, address: str):
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self.incoming = target.socket(family, socket.SOCK_DGRAM)
        self.incoming.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER)
        self.incoming.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        self.incoming.setblocking(False)
        self.incoming.bind((address, PORT))
        self.outgoing = source.socket(family, socket.SOCK_DGRAM)
        self.outgoing.connect((address, PORT))
        self.sent = 0
        self.arrivals: list[tuple[int, float]] = []  # number, Unix time

    def send(self):
        self.outgoing.send(NUMBER.pack(self.sent))
        self.sent += 1

    def take(self):
        data, ancillary, *_ = self.incoming.recvmsg(64, 256)
        for _, kind, stamp in ancillary:
            if kind == SO_TIMESTAMPNS:
                seconds, nanoseconds = struct.unpack("qq", stamp)
                self.arrivals.append((NUMBER.unpack(data)[0], seconds + nanoseconds / 1e9))

    @property
    def missing(self) -> int:
        return self.sent - len({number for number, _ in self.arrivals})

    def longest_gap(self, begin: float = 0.0, end: float = float("inf")) -> float:
        """Seconds without a packet, of gaps that touch the time from `begin` to `end`."""
        times = [at for _, at in self.arrivals]
        return max((b - a for a, b in zip(times, times[1:]) if b >= begin and a <= end), default=0.0)

    def close(self):
        self.incoming.close()
        self.outgoing.close()


class Flows:
    """Sends on all flows from now on until stop()."""

    def __init__(self, flows: dict[str, Flow]):
        self.flows = flows
        self.ending = threading.Event()
        self.sending = threading.Thread(target=self.send, daemon=True)
        self.taking = threading.Thread(target=self.take, daemon=True)
        self.sending.start()
        self.taking.start()

    def send(self):
        due = time.monotonic()
        while not self.ending.is_set():
            for flow in self.flows.values():
                flow.send()
            due = max(due + PERIOD, time.monotonic())
            time.sleep(max(0.0, due - time.monotonic()))

    def take(self):
        """Until nothing has come for a second behind the last that was sent."""
        by_socket = {flow.incoming: flow for flow in self.flows.values()}
        while True:
            ready = select.select(list(by_socket), [], [], 1)[0]
            for incoming in ready:
                by_socket[incoming].take()
            if not ready and not self.sending.is_alive():
                return

    def stop(self):
        self.ending.set()
        self.sending.join()
        self.taking.join()
        for flow in self.flows.values():
            flow.close()
