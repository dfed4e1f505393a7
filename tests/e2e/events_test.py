"""Protects events: what happens to real clients, ports and records is told once, under the right
names, to whoever asks and to whoever follows."""

import json
import subprocess
import time

from tests.e2e import lab as net
from tests.e2e.case import LabCase
from tests.e2e.measure import ping
from tests.e2e.relay import RELAYCTL


class EventsTest(LabCase):
    def kept(self, *options: str) -> list[dict]:
        lines = self.relay.ctl("events", "--json", *options).stdout.splitlines()
        return [json.loads(line) for line in lines]

    def soon(self, *options: str, wanted) -> dict:
        """The last event that is `wanted`."""
        for _ in range(50):
            if found := [event for event in self.kept(*options) if wanted(event)]:
                return found[-1]
            time.sleep(0.1)
        self.fail(f"no such event among {self.kept()}")

    def test_start_and_links_are_the_first(self):
        events = self.kept()
        self.assertEqual(events[0]["kind"], "started")
        links = [e for e in events if e["kind"] == "link"]
        self.assertEqual({e["port"] for e in links if e["state"] == "up"}, {"wan", "inet"})
        numbers = [event["number"] for event in events]
        self.assertEqual(numbers, list(range(numbers[0], numbers[0] + len(numbers))))

    def test_clients_come_and_go(self):
        connected = self.soon("--user", "alice", wanted=lambda e: e["kind"] == "connected")
        self.assertEqual(connected["peer"], "a-laptop")
        self.assertRegex(connected["endpoint"], r"^\d+\.\d+\.\d+\.\d+:\d+$")
        self.relay.call("user.set", {"name": "alice", "enabled": False})
        gone = self.soon("--user", "alice", wanted=lambda e: e["kind"] == "disconnected")
        self.assertEqual(gone["reason"], "disabled")
        self.assertGreater(gone["rx_bytes"], 0)
        change = self.soon("--user", "alice", wanted=lambda e: e["kind"] == "change")
        self.assertEqual((change["request"], change["before"], change["after"], change["uid"]),
                         ("user.set", {"enabled": True}, {"enabled": False}, 0))
        # What it sends meanwhile is refused, and told of.
        client = self.lab.clients["a"]
        client.configure(client.settings(self.lab.relay_key, net.ENDPOINT_V4))
        ping(self.a(), net.TUNNEL_V4, count=1)
        refused = self.soon("--kind", "refused", wanted=lambda e: e["reason"] == "disabled")
        self.assertEqual(refused["peer"], "a-laptop")
        self.relay.call("user.set", {"name": "alice", "enabled": True})

    def test_followers_hear_what_comes(self):
        follower = subprocess.Popen(
            [str(RELAYCTL), "--socket", self.relay.socket, "events",
             "--follow", "--json", "--user", "carol"], stdout=subprocess.PIPE, text=True)
        try:
            time.sleep(0.5)
            self.relay.call("user.add", {"name": "carol"})
            self.relay.call("user.remove", {"name": "carol"})
            heard = [json.loads(follower.stdout.readline()) for _ in range(2)]
        finally:
            follower.kill()
            follower.communicate()
        self.assertEqual([e["change"] for e in heard], ["added", "removed"])

    def test_people_get_a_line_each(self):
        lines = self.relay.ctl("events").stdout.splitlines()
        self.assertRegex(lines[0], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z  started +- +version ")
