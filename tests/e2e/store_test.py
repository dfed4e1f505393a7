"""Protects what lasts: users that the API made, what everybody carried, and where clients are, over
an end by force and a new start; and that nothing acknowledged is lost in the middle of anything."""

import json
import signal
import socket
import sqlite3
import threading

from tests.e2e import lab as net
from tests.e2e.case import LabCase
from tests.e2e.measure import ping
from tests.e2e.netns import CommandFailed, until


class StoreTest(LabCase):
    @classmethod
    def prepare(cls):
        """alice is the file's, bob the API's."""
        cls.add_clients()
        cls.store = cls.lab.folder / "relay.db"
        alice, cls.bob = cls.users()
        cls.lab.start_relay(users=[alice], store=str(cls.store), usage_interval=1,
                            sizes={"users": 100_000})
        cls.lab.relay.call("user.add", cls.bob)
        cls.connect_both()

    def setUp(self):
        if self.relay.process.poll() is not None:
            self.relay.start()

    def kill(self):
        self.relay.process.send_signal(signal.SIGKILL)
        self.relay.process.wait()

    def traffic(self, user: str) -> dict:
        return self.relay.call("user.get", {"name": user})["status"]["traffic"]

    def carry(self, packets: int = 20):
        """Traffic towards the clients first: after a restart they do not know yet that their
        sessions are gone, but the relay does, and knows where they are."""
        for host in (2, 3):
            ping(self.lab.internet, f"10.77.0.{host}", count=packets, interval=0.01)
        for site in (self.a(), self.b()):
            self.assertNotEqual(ping(site, net.TUNNEL_V4, count=packets, interval=0.01).received, 0)

    def stored(self, query: str):
        with sqlite3.connect(f"file:{self.store}?mode=ro", uri=True) as database:
            return database.execute(query).fetchall()

    def stored_packets(self, user: str) -> int:
        return self.stored("SELECT SUM(p.rx_packets) FROM peers p JOIN users u ON u.id = p.user"
                           f" WHERE u.name = '{user}'")[0][0]

    def test_users_and_usage_outlive_a_kill(self):
        self.carry()
        before = {user: self.traffic(user) for user in ("alice", "bob")}
        self.assertGreater(before["bob"]["rx_packets"], 0)
        for user, was in before.items():
            until(lambda: self.stored_packets(user) >= was["rx_packets"], 20, "rows of usage")
        self.kill()
        self.relay.start()
        shown = {user["name"]: user["status"]["origin"]
                 for user in self.relay.call("user.list")["users"]}
        self.assertEqual(shown, {"alice": "file", "bob": "api"})
        for user, was in before.items():
            now = self.traffic(user)
            for count, value in was.items():
                self.assertGreaterEqual(now[count], value, f"{count} of {user}")
        self.carry()
        self.assertGreater(self.traffic("bob")["rx_packets"], before["bob"]["rx_packets"])

    def test_an_idle_client_is_reached_after_a_restart(self):
        """It sends nothing: the relay knows where it is, and begins."""
        self.carry(3)
        until(lambda: self.stored("SELECT COUNT(remote) FROM peers")[0][0] == 2, 20, "where they are")
        self.kill()
        self.relay.start()
        replies = ping(self.lab.internet, "10.77.0.2", count=40, interval=0.05)
        # What comes before ARP and the handshake are through waits, and comes in order.
        self.assertEqual(replies.lost, 0, f"{replies}; {self.relay.drops()}")

    def test_usage_is_told_in_steps(self):
        self.carry()
        self.relay.stop()  # what was carried is written at the end, whatever the interval
        carried = self.stored("SELECT rx_bytes FROM peers WHERE name = 'b-laptop'")[0][0]
        self.relay.start()
        usage = self.relay.call("usage.get", {"name": "bob", "by": "hour"})
        self.assertEqual(usage["total"]["rx_bytes"], carried)
        until(lambda: self.relay.call("usage.get", {"name": "bob"})["sum"]["rx_bytes"] >= carried, 10,
              "a lap")
        lines = self.relay.ctl("usage", "bob", "--by", "day").stdout.splitlines()
        self.assertRegex(lines[0], r"BEGIN \(UTC\) +UP +DOWN")
        self.assertRegex(lines[1], r"^\d{4}-\d\d-\d\d .*B .*B  [#=]+$")
        self.assertTrue(self.relay.ctl("usage", "bob", "--csv").stdout.startswith("begin,rx_packets,"))

    def test_what_is_acknowledged_in_a_bulk_import_is_there_after_a_kill(self):
        for attempt in range(10):
            done = self.import_until_killed(attempt)
            self.relay.start()
            users = {row[0] for row in self.stored("SELECT name FROM users WHERE origin = 'api'")}
            shown = {user["name"] for user in self.pages("user.list", "users")}
            self.assertLessEqual(done, users)
            self.assertEqual(users | {"alice"}, shown)
            # At most the one request that nobody heard of again.
            more = {u for u in users if u.startswith(f"bulk{attempt}-")} - done
            self.assertIn(len(more), (0, 20))

    def import_until_killed(self, attempt: int) -> set[str]:
        """Names that were acknowledged, twenty in a request."""
        done: set[str] = set()
        threading.Timer(0.02 + 0.03 * attempt, self.kill).start()
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.connect(self.relay.socket)
            lines = connection.makefile()
            for i in range(100_000):
                names = [f"bulk{attempt}-{i}-{k}" for k in range(20)]
                request = {"jsonrpc": "2.0", "id": i, "method": "user.add",
                           "params": {"users": [{"name": name} for name in names]}}
                try:
                    connection.sendall(json.dumps(request).encode() + b"\n")
                    line = lines.readline()
                except OSError:
                    break
                if not line:
                    break
                self.assertIn("result", json.loads(line))
                done.update(names)
        self.relay.process.wait()
        return done

    def pages(self, method: str, field: str) -> list[dict]:
        entries: list[dict] = []
        params: dict = {"limit": 1000}
        while True:
            page = self.relay.call(method, params)
            entries += page[field]
            if not page["next"]:
                return entries
            params["after"] = page["next"]

    def test_a_name_of_both_is_refused(self):
        with self.assertRaisesRegex(CommandFailed, "there is a user .* already, in the configuration"):
            self.relay.call("user.add", {"name": "alice"})
        self.relay.config["users"].append({"name": "bob"})
        try:
            self.relay.write_config()
            with self.assertRaisesRegex(CommandFailed, "already, made through the API"):
                self.relay.call("config.reload")
            told = self.relay.check()
            self.assertEqual(told.returncode, 1)
            self.assertIn("already", told.stderr)
        finally:
            self.relay.config["users"].pop()
            self.relay.write_config()

    def test_backup_while_it_runs(self):
        copy = self.lab.folder / "copy.db"
        copy.unlink(missing_ok=True)
        self.relay.ctl("backup", str(copy))
        self.assertEqual(copy.stat().st_mode & 0o777, 0o600)
        with sqlite3.connect(copy) as database:
            self.assertIn(("bob",), database.execute("SELECT name FROM users").fetchall())
        with self.assertRaisesRegex(CommandFailed, "File exists"):
            self.relay.ctl("backup", str(copy))

    def test_a_renamed_user_of_the_file_goes_on(self):
        self.carry()
        before = self.traffic("alice")
        self.relay.stop()
        users = self.relay.config["users"]
        users[0]["name"] = "alicia"
        try:
            self.relay.start()
            self.assertGreaterEqual(self.traffic("alicia")["rx_bytes"], before["rx_bytes"])
        finally:
            self.relay.stop()
            users[0]["name"] = "alice"
            self.relay.start()
