"""Protects the end of a relay that lets its clients go first: who is connected goes on without a lost
packet, nobody else gets in, and the relay ends with the last one, or when the time is over."""

import json
import subprocess

from tests.e2e import lab as net
from tests.e2e.case import LabCase
from tests.e2e.measure import Pinging, ping
from tests.e2e.netns import until
from tests.e2e.relay import RELAYCTL


class DrainTest(LabCase):
    @classmethod
    def users(cls) -> list[dict]:
        return [{"name": "alice", "peers": [cls.lab.peer("a")]},
                {"name": "bob", "peers": [cls.lab.peer("b")]}]

    @classmethod
    def connect_both(cls):
        cls.lab.connect("a")

    def refused(self) -> int:
        return self.relay.call("status.get")["handshakes"]["refused"]["draining"]

    def test_the_last_client_ends_it(self):
        self.assertIsNone(self.relay.call("status.get")["draining"])
        pinging = Pinging(self.a(), net.FAR_V4)
        drain = subprocess.Popen([RELAYCTL, "--socket", self.relay.socket, "drain", "--timeout", "60"],
                                 stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        draining = until(lambda: self.relay.call("status.get")["draining"], 5, "drain")
        self.assertEqual(draining["connected"], 1)
        self.lab.connect("b")
        ping(self.b(), net.TUNNEL_V4, count=1)
        until(lambda: self.refused() > 0, 10, "refusal")
        self.assertEqual(ping(self.b(), net.TUNNEL_V4, count=1).received, 0)
        self.assert_no_loss(pinging.stop(), at_least=10)
        events = self.relay.call("events.list", {"kinds": ["draining"]})["events"]
        self.assertEqual([(e["connected"], e["seconds"]) for e in events], [(1, 60)])
        self.relay.ctl("user", "set", "alice", "--disable", check=False)  # it may end before it answers
        self.assertEqual(self.relay.process.wait(5), 0)
        out, err = drain.communicate(timeout=5)
        self.assertEqual(drain.returncode, 0)
        self.assertIn("1 connected, and the relay ends with the last of them, or in 60 s", out)
        self.assertIn("the relay has ended", err)
        self.relay.start()

    def test_the_time_is_over(self):
        said = json.loads(self.relay.ctl("drain", "--timeout", "0", "--no-wait", "--json").stdout)
        self.assertEqual(said["seconds_left"], 0)
        self.assertEqual(self.relay.process.wait(5), 0)
        self.relay.start()
