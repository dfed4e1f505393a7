"""Protects the API against whoever reaches its socket: packets and other clients do not notice."""

import json
import os
import random
import socket
import stat
import time

from tests.e2e import lab as net
from tests.e2e.case import LabCase
from tests.e2e.measure import Pinging
from tests.e2e.netns import until

MIB = 1 << 20


class ApiTest(LabCase):
    def setUp(self):
        self.pinging = Pinging(self.a(), net.FAR_V4)

    def tearDown(self):
        """Whatever was done: the API answers, and no packet was lost meanwhile."""
        self.assertEqual(self.relay.call("status.get")["users"], 2)
        self.assert_no_loss(self.pinging.stop())

    def connect(self) -> socket.socket:
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.addCleanup(connection.close)
        connection.settimeout(10)

        def connected() -> bool:
            try:
                connection.connect(self.relay.socket)
            except BlockingIOError:  # too many wait to be let in
                return False
            return True
        until(connected, 10, "place in the queue of the socket")
        return connection

    def send(self, data: bytes) -> bytes:
        """What comes back: a line, or nothing when the relay closes."""
        connection = self.connect()
        try:
            connection.sendall(data)
            with connection.makefile("rb") as replies:
                return replies.readline()
        except (BrokenPipeError, ConnectionResetError):
            return b""

    def error_of(self, data: bytes) -> dict:
        return json.loads(self.send(data))["error"]

    def test_the_socket_is_for_owner_and_group(self):
        self.assertEqual(stat.S_IMODE(os.stat(self.relay.socket).st_mode), 0o660)

    def test_what_is_not_json_is_refused(self):
        for data in (b"hello\n", b"{\n", b"\0\0\0\n", b"\xff\xfe\n", b'"text"\n', b"[]\n"):
            with self.subTest(data=data):
                reply = self.send(data)
                if reply:
                    self.assertIn(json.loads(reply)["error"]["code"], (-32700, -32600))

    def test_what_is_too_deep_is_refused(self):
        for depth in (33, 1000, 100_000):
            with self.subTest(depth=depth):
                reply = self.send(b"[" * depth + b"]" * depth + b"\n")
                if reply:
                    self.assertIn(json.loads(reply)["error"]["code"], (-32700, -32600))

    def test_what_is_too_long_ends_the_connection_or_is_refused(self):
        reply = self.send(b'{"jsonrpc":"2.0","id":1,"method":"' + b"x" * (2 * MIB) + b'"}\n')
        if reply:
            self.assertIn("error", json.loads(reply))

    def test_a_line_without_end_does_not_fill_the_memory(self):
        connection = self.connect()
        sent = 0
        try:
            while sent < 64 * MIB:
                sent += connection.send(b"x" * MIB)
        except (BrokenPipeError, ConnectionResetError, TimeoutError):
            pass
        self.assertLess(sent, 8 * MIB)

    def test_half_a_request_keeps_nobody_waiting(self):
        halves = [self.connect() for _ in range(20)]
        for half in halves:
            half.sendall(b'{"jsonrpc":"2.0","id":1,"method":"status.g')
        self.relay.call("status.get")
        halves[0].sendall(b'et"}\n')
        with halves[0].makefile() as replies:
            self.assertIn("result", json.loads(replies.readline()))

    def test_a_client_that_never_reads_keeps_nobody_waiting(self):
        deaf = self.connect()
        deaf.settimeout(1)
        request = b'{"jsonrpc":"2.0","id":1,"method":"stats.get"}\n'
        try:
            for _ in range(2000):
                deaf.sendall(request * 10)
        except (TimeoutError, BrokenPipeError, ConnectionResetError):
            pass
        began = time.monotonic()
        self.relay.call("status.get")
        self.assertLess(time.monotonic() - began, 5)

    def test_wrong_types_are_refused_with_their_path(self):
        for method, params, path in (
                ("user.add", {"name": 7}, "name"),
                ("user.add", {"users": [{"name": "ok"}, {"name": "x", "limits": 3}]},
                 "users[1].limits"),
                ("peer.add", {"name": "p", "user": "alice", "public_key": "short",
                              "allowed_ips": []}, "public_key"),
                ("user.set", {"name": "alice", "limits": {"up": {"rate": 0}}}, "limits.up.rate")):
            with self.subTest(method=method, params=params):
                error = self.error_of(json.dumps({"jsonrpc": "2.0", "id": 1, "method": method,
                                                  "params": params}).encode() + b"\n")
                self.assertEqual(error["code"], -32602)
                self.assertIn(path, json.dumps(error))

    def test_a_request_is_applied_wholly_or_not_at_all(self):
        taken = self.lab.clients["a"].addresses[0]
        error = self.error_of(json.dumps({
            "jsonrpc": "2.0", "id": 1, "method": "user.add",
            "params": {"users": [{"name": "carol"}, {"name": "dave", "peers": [
                {"name": "d", "public_key": self.lab.clients["b"].public_key,
                 "allowed_ips": [taken]}]}]}}).encode() + b"\n")
        self.assertEqual(error["code"], -32602)

    def test_random_bytes_are_survived(self):
        source = random.Random(20_240_501)
        for _ in range(200):
            connection = self.connect()
            try:
                connection.sendall(source.randbytes(source.randrange(1, 5000)))
            except (BrokenPipeError, ConnectionResetError):
                pass
            connection.close()
