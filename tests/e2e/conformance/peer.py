"""A WireGuard peer of the relay on UDP sockets: it does what a test says, right or wrong, and
nothing by itself."""

import itertools
import os
import select
import socket
import time
from dataclasses import dataclass

from tests.e2e import lab as net
from tests.e2e.conformance import inner, noise
from tests.e2e.conformance.noise import Initiator, KeyPair, Responder, Session
from tests.e2e.netns import Namespace

INITIATION, RESPONSE, COOKIE, DATA = 1, 2, 3, 4

PATIENCE = 15.0  # seconds for what should come at once, on a machine that is busy with other things
LEAST_INTERVAL = 0.03  # a little more than the 20 ms that are asked between a peer's initiations


def endpoint_of(opened: socket.socket) -> str:
    """As configurations have it."""
    address, port = opened.getsockname()[:2]
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


@dataclass
class Message:
    kind: int
    bytes: bytes
    source: tuple[str, int]
    socket: socket.socket  # where it came in
    time: float            # monotonic, when we saw it


@dataclass
class Received:
    """Transport data, opened."""

    session: Session
    counter: int
    text: bytes
    message: Message

    @property
    def is_keepalive(self) -> bool:
        return not self.text

    @property
    def packet(self) -> inner.Packet:
        return inner.parse(self.text)


class Peer:
    """`v4`, `v6`: its addresses in the tunnel. Close it."""

    numbers = itertools.count(1)

    def __init__(self, namespace: Namespace, relay_key: bytes, v4: str = "", v6: str = "",
                 outside: str = net.SITES["a"][0][0].split("/")[0], key: KeyPair | None = None):
        self.namespace, self.relay_key = namespace, relay_key
        self.v4, self.v6 = v4, v6
        self.key = key or KeyPair()
        self.preshared = noise.NO_KEY
        self.sessions: list[Session] = []
        self.inbox: list[Message] = []
        self.sockets: list[socket.socket] = []
        self.answered = 0.0  # when the last response came
        self.move(outside)

    # The outside. ------------------------------------------------------------------------------

    def move(self, outside: str, port: int = 0):
        """Sends from another address or port from now on; what goes to the old one arrives, too."""
        family = socket.AF_INET6 if ":" in outside else socket.AF_INET
        self.socket = self.namespace.socket(family, socket.SOCK_DGRAM)
        self.socket.bind((outside, port))
        self.socket.setblocking(False)
        self.sockets.append(self.socket)
        self.relay_at = (net.RELAY_V6 if ":" in outside else net.RELAY_V4, net.PORT)

    @property
    def at(self) -> str:
        """Where it is."""
        return endpoint_of(self.socket)

    def send(self, datagram: bytes):
        self.socket.sendto(datagram, self.relay_at)

    def send_raw(self, datagram: bytes, port: int = 0, damage: bool = False, ecn: int = 0):
        """From any port (0: the usual one), with a wrong UDP checksum, with an outer ECN field."""
        address, usual = self.socket.getsockname()[:2]
        v6 = ":" in address
        packet = bytearray(inner.udp(address, self.relay_at[0], datagram,
                                     (port or usual, self.relay_at[1])))
        if damage:
            packet[(40 if v6 else 20) + 6] ^= 1
        packet[1] |= ecn << 4 if v6 else ecn
        family = socket.AF_INET6 if v6 else socket.AF_INET
        with self.namespace.socket(family, socket.SOCK_RAW, socket.IPPROTO_RAW) as raw:
            raw.sendto(packet, (self.relay_at[0], 0))

    def close(self):
        for opened in self.sockets:
            opened.close()

    def take_in(self, seconds: float = 0):
        """Puts what has come into the inbox; waits so long when there is nothing."""
        for readable in select.select(self.sockets, [], [], max(seconds, 0))[0]:
            while True:
                try:
                    data, source = readable.recvfrom(65536)
                except BlockingIOError:
                    break
                kind = data[0] if data else 0
                self.inbox.append(Message(kind, data, source[:2], readable, time.monotonic()))

    def expect(self, kind: int, seconds: float = PATIENCE) -> Message:
        """The next message of a kind; others stay for later."""
        deadline = time.monotonic() + seconds
        while True:
            self.take_in()
            for message in self.inbox:
                if message.kind == kind:
                    self.inbox.remove(message)
                    return message
            if time.monotonic() >= deadline:
                raise TimeoutError(f"no message of type {kind} within {seconds} s")
            self.take_in(deadline - time.monotonic())

    def heard(self, kind: int) -> int:
        """How many messages of a kind wait in the inbox."""
        self.take_in()
        return sum(m.kind == kind for m in self.inbox)

    def forget(self):
        """What has come so far."""
        self.take_in()
        self.inbox.clear()

    # Handshakes. -------------------------------------------------------------------------------

    def begin(self, stamp: bytes | None = None, ephemeral=None,
              cookie: bytes | None = None) -> tuple[Initiator, bytes]:
        """Sends an initiation, not too soon behind one that was answered. What it was is returned
        with it."""
        time.sleep(max(0.0, self.answered + LEAST_INTERVAL - time.monotonic()))
        initiator = Initiator(self.key, self.relay_key, ephemeral)
        message = noise.with_macs(initiator.message(stamp or noise.timestamp()), self.relay_key,
                                  cookie)
        self.send(message)
        return initiator, message

    def finish(self, initiator: Initiator, seconds: float = PATIENCE) -> Session:
        """Takes the response to `initiator`, and no other."""
        response = self.expect(RESPONSE, seconds).bytes
        self.answered = time.monotonic()
        if response != noise.with_macs(response[:-32], self.key.public)[:-16] + response[-16:]:
            raise ValueError("mac1 of a response is wrong")
        if response[8:12] != initiator.index:
            raise ValueError("a response to another initiation")
        return self.keep(initiator.finish(response, self.preshared))

    def handshake(self) -> Session:
        """A session that we begin; the relay has not heard it yet."""
        return self.finish(self.begin()[0])

    def read_initiation(self, seconds: float = PATIENCE) -> Responder:
        message = self.expect(INITIATION, seconds).bytes
        if noise.macs_of(noise.with_macs(message[:-32], self.key.public))[0] != message[-32:-16]:
            raise ValueError("mac1 of an initiation is wrong")
        return Responder(self.key, message)

    def answer(self, initiation: Responder | None = None,
               cookie: bytes | None = None) -> Session:
        """A session that the relay begins: answers its next initiation."""
        initiation = initiation or self.read_initiation()
        response, session = initiation.answer(self.preshared)
        self.send(noise.with_macs(response, self.relay_key, cookie))
        return self.keep(session)

    def keep(self, session: Session) -> Session:
        self.sessions.append(session)
        return session

    def connect(self) -> Session:
        """A session that we begin and that the relay sends with; it waits for nothing of us."""
        session = self.handshake()
        while self.echo(session).session is not session:
            pass
        self.send_data(session, b"")
        return session

    # Transport data. ---------------------------------------------------------------------------

    def send_data(self, session: Session, text: bytes, counter: int | None = None):
        self.send(session.seal(text, counter))

    def receive(self, seconds: float = PATIENCE) -> Received:
        """The next transport data, which must be of one of our sessions and authentic."""
        message = self.expect(DATA, seconds)
        session = next(s for s in self.sessions if s.is_for_us(message.bytes))
        return Received(session, *session.open(message.bytes), message)

    def receive_packet(self, seconds: float = PATIENCE) -> Received:
        """The next that is no keepalive."""
        while (received := self.receive(seconds)).is_keepalive:
            pass
        return received

    def echo(self, session: Session, target: str = net.TUNNEL_V4, size: int = 0) -> Received:
        """Asks, and waits for the answer, in whichever session it comes."""
        number = next(self.numbers) & 0xffff
        source = self.v6 if ":" in target else self.v4
        self.send_data(session, inner.echo(source, target, number, os.urandom(size)))
        while True:
            reply = self.receive_packet()
            if reply.packet.is_echo_reply and reply.packet.echo_number == number:
                return reply
