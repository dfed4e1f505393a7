"""Protects users' keys: what came and went by the control socket has left nothing in the relay's
memory, whether it was taken, refused, not even read, or asked for."""

import base64
import contextlib
import json
import os
import socket

from tests.e2e.case import LabCase
from tests.e2e.memory import count_in_memory
from tests.e2e.netns import until


class SecretsTest(LabCase):
    @classmethod
    def prepare(cls):
        cls.lab.start_relay(users=[{"name": "alice"}])

    def setUp(self):
        self.key = base64.b64encode(os.urandom(32)).decode()

    def peer(self, name: str, **fields) -> dict:
        public = base64.b64encode(os.urandom(32)).decode()
        return {"name": name, "user": "alice", "public_key": public, "preshared_key": self.key,
                "allowed_ips": []} | fields

    def send(self, line: bytes, answered: bool = True):
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
            client.connect(str(self.relay.socket))
            client.sendall(line)
            if answered:
                client.makefile("rb").readline()

    def call_line(self, method: str, params) -> bytes:
        return json.dumps({"jsonrpc": "2.0", "id": 1, "method": method,
                           "params": params}).encode() + b"\n"

    def assert_nothing_left(self):
        """Whoever is asked a moment later has wiped what the call before took."""
        pid = self.relay.process.pid
        try:
            until(lambda: count_in_memory(pid, self.key[:40].encode()) == 0, 5, "wiped key")
        except TimeoutError:
            self.fail(f"{count_in_memory(pid, self.key[:40].encode())} copies are left")

    def test_the_search_finds_what_is_there(self):
        """A line without its end waits in the relay's memory."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
            client.connect(str(self.relay.socket))
            client.sendall(self.call_line("peer.add", self.peer("waits"))[:-3])
            pid = self.relay.process.pid
            until(lambda: count_in_memory(pid, self.key[:40].encode()) > 0, 5, "key in memory")
        self.assert_nothing_left()

    def test_requests_that_are_taken(self):
        self.relay.call("peer.add", self.peer("taken"))
        self.relay.call("peer.set", {"name": "taken", "preshared_key": self.key})
        many = [self.peer(f"many{i}") for i in range(500)]
        self.relay.call("peer.add", {"peers": many})
        self.assert_nothing_left()
        self.relay.call("peer.remove", {"names": [p["name"] for p in many]})

    def test_requests_that_are_refused(self):
        wrong = [
            self.call_line("peer.add", self.peer("x", user="nobody")),
            self.call_line("peer.add", self.peer("x", unknown=1)),
            self.call_line("user.add", self.peer("x")),
            self.call_line("peer.add", self.peer("x"))[:-2] + b",}\n",
            self.call_line("peer.add", self.peer("x")).replace(b"2.0", b"1.0"),
            self.call_line("peer.add", self.peer("x", allowed_ips=["10.0.0.1"] * 50_000)),
        ]
        # Escaped, so that it is decoded somewhere.
        escaped = f"\\u{ord(self.key[0]):04x}{self.key[1:]}".encode()
        wrong.append(self.call_line("peer.add", self.peer("x", user="nobody"))
                     .replace(self.key.encode(), escaped))
        for line in wrong:
            self.send(line)
        self.assert_nothing_left()

    def test_requests_that_are_not_read(self):
        line = self.call_line("peer.add", self.peer("x"))
        self.send(line[:-3], answered=False)
        with contextlib.suppress(OSError):  # it is told that this is too long, and then not read
            self.send(line[:-1] + b" " * (2 << 20), answered=False)
        self.assert_nothing_left()

    def test_replies(self):
        self.relay.call("peer.add", self.peer("told"))
        self.assertEqual(self.relay.call("peer.config", {"name": "told"})["preshared_key"],
                         self.key)
        self.assertIn(self.key, json.dumps(self.relay.call("peer.list",
                                                           {"preshared_keys": True})))
        self.assert_nothing_left()
