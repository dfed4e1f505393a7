"""What the conformance cases share: a relay without clients of its own, peers that a test makes, a
host behind the relay, and a way to tell that nothing comes that needs no waiting."""

import base64
import itertools
import select
import socket
import time

from tests.e2e import lab as net
from tests.e2e.case import LabCase, lab_name
from tests.e2e.conformance import inner
from tests.e2e.conformance.peer import PATIENCE, Peer

HOST_PORT = 4000  # of the host behind the relay


class ConformanceCase(LabCase):
    LAB = lab_name("cnf")

    @classmethod
    def prepare(cls, **config):
        cls.numbers = itertools.count(1)
        cls.lab.start_relay(users=[{"name": "peers"}], **config)
        cls.relay_key = base64.b64decode(cls.lab.relay_key)
        cls.host = cls.lab.internet.socket(socket.AF_INET, socket.SOCK_DGRAM)
        cls.addClassCleanup(cls.host.close)
        cls.host.bind((net.FAR_V4, HOST_PORT))
        cls.host.setblocking(False)

    # Peers. ------------------------------------------------------------------------------------

    def stranger(self, **options) -> Peer:
        """A peer that the relay does not know."""
        number = next(self.numbers)
        peer = Peer(self.lab.sites["a"], self.relay_key,
                    f"10.77.{1 + number // 250}.{1 + number % 250}", f"fd77::1:{number:x}",
                    **options)
        peer.name = f"peer-{number}"
        self.addCleanup(peer.close)
        return peer

    def peer(self, fields: dict | None = None, **options) -> Peer:
        """One that it knows, with these fields besides."""
        peer = self.stranger(**options)
        self.add(peer, **(fields or {}))
        return peer

    def add(self, peer: Peer, **fields):
        self.relay.call("peer.add", {
            "name": peer.name, "user": "peers", "public_key": key_text(peer.key.public),
            "allowed_ips": [peer.v4, peer.v6]} | fields)

    def set(self, peer: Peer, **fields):
        self.relay.call("peer.set", {"name": peer.name} | fields)

    def status(self, peer: Peer) -> dict:
        return self.relay.call("peer.get", {"name": peer.name})["status"]

    def refused(self, why: str) -> int:
        """How many handshakes were refused so far, such as "replay"."""
        return self.relay.call("status.get")["handshakes"]["refused"][why]

    # The host behind the relay. ----------------------------------------------------------------

    def host_sends(self, peer: Peer, payload: bytes):
        self.host.sendto(payload, (peer.v4, HOST_PORT))

    def host_receives(self, seconds: float = PATIENCE) -> tuple[bytes, str]:
        """Payload and source of the next packet."""
        if not select.select([self.host], [], [], seconds)[0]:
            raise TimeoutError(f"the host behind the relay heard nothing for {seconds} s")
        payload, source = self.host.recvfrom(65536)
        return payload, source[0]

    def to_host(self, peer: Peer, payload: bytes, source: str | None = None) -> bytes:
        """A packet for it."""
        return inner.udp(source or peer.v4, net.FAR_V4, payload, (HOST_PORT, HOST_PORT))

    # That nothing comes. -----------------------------------------------------------------------

    def settle(self):
        """Returns when the relay has dealt with all that was sent to it before: it takes things in
        their order, and has answered another peer's handshake and packet since."""
        witness = self.peer()
        witness.connect()
        time.sleep(0.05)  # its answers to others are on their way already

    def assert_silent(self, peer: Peer, *kinds: int):
        """Nothing of these kinds has come for what was sent so far."""
        self.settle()
        for kind in kinds:
            self.assertEqual(peer.heard(kind), 0, f"a message of type {kind}")

    def assert_host_heard_nothing(self):
        self.settle()
        self.assertEqual(select.select([self.host], [], [], 0)[0], [])


def key_text(key: bytes) -> str:
    return base64.b64encode(key).decode()
