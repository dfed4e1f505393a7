"""Protects what a user may carry, for how long, and with how many devices at once, with real clients:
a quota ends within a burst of its last byte, over all devices and both ways; time ends in mid-transfer;
one device too many is refused, or takes the place of another."""

import datetime
import time

from tests.e2e import lab as net
from tests.e2e.case import LabCase
from tests.e2e.measure import Iperf, inner_rate, ping
from tests.e2e.netns import until

QUOTA = 10_000_000
BURST = 64 * 1420  # of one worker; the relay of these tests has one


def moment(seconds: float) -> str:
    return datetime.datetime.fromtimestamp(seconds, datetime.UTC).isoformat(timespec="seconds")


class QuotaTest(LabCase):
    @classmethod
    def prepare(cls):
        super().prepare()
        cls.iperfs = [Iperf(cls.lab.internet, 5201), Iperf(cls.lab.internet, 5202)]

    @classmethod
    def users(cls) -> list[dict]:
        return [{"name": "alice", "peers": [cls.lab.peer("a"), cls.lab.peer("b")]}]

    def setUp(self):
        self.set("--quota", "unlimited", "--expires", "never")
        for site in (self.a(), self.b()):
            until(lambda: ping(site, net.FAR_V4, count=1).received == 1, 30, "a session")

    def set(self, *options: str):
        self.relay.ctl("user", "set", "alice", *options)

    def quota(self) -> dict:
        return self.relay.call("user.get", {"name": "alice"})["status"]["quota"]

    def used(self) -> int:
        quota = self.quota()
        return quota["used_up"] + quota["used_down"]

    def transfer_until_over(self, *runs):
        """iperf3 between the given sites and the internet, (site, options...); it does not end well
        where nothing passes any more."""
        started = [self.iperfs[i].start(self.lab.sites[site], net.FAR_V4, 20, *options)
                   for i, (site, *options) in enumerate(runs)]
        try:
            until(lambda: self.quota()["over"], 15, "the quota's end")
            time.sleep(1)
        finally:
            self.stop(started)

    def stop(self, runs):
        """Clients, and the servers, for which a test that was cut off never ends."""
        for process in [run.process for run in runs] + [iperf.server for iperf in self.iperfs]:
            process.kill()
            process.communicate()
        type(self).iperfs = [Iperf(self.lab.internet, port) for port in (5201, 5202)]

    def assert_ended(self):
        used = self.used()
        print(f"        {used - QUOTA} bytes beyond {QUOTA}")
        self.assertGreaterEqual(used, QUOTA)
        self.assertLessEqual(used, QUOTA + BURST)

    def test_nothing_passes_at_its_end(self):
        self.set("--quota", "10M", "--quota-counts", "up", "--quota-end", "block")
        self.transfer_until_over(("a",))
        self.assert_ended()
        self.assert_cut_off(self.a(), net.FAR_V4)
        self.assertGreater(self.relay.drops()["quota_up"], 0)
        self.assertIn("over quota", self.relay.ctl("user", "list").stdout)
        self.relay.ctl("user", "reset-quota", "alice")
        self.assert_reaches(self.a(), net.FAR_V4)
        self.assertLess(self.used(), BURST)

    def test_two_devices_share_it(self):
        self.set("--quota", "10M", "--quota-counts", "both", "--quota-end", "block")
        self.transfer_until_over(("a",), ("b", "-R"))
        self.assert_ended()
        for site in (self.a(), self.b()):
            self.assert_cut_off(site, net.FAR_V4)

    def test_more_is_there_at_once(self):
        self.set("--quota", "10M", "--quota-counts", "both", "--quota-end", "block")
        self.transfer_until_over(("b", "-R"))
        self.set("--quota", "20M")
        self.assert_reaches(self.b(), net.FAR_V4)
        self.assertGreater(self.used(), QUOTA)

    def test_a_rate_holds_at_its_end(self):
        self.set("--quota", "10M", "--quota-counts", "up", "--quota-end", "throttle",
                 "--quota-rate", "4M")
        run = self.iperfs[0].start(self.a(), net.FAR_V4, 8, "-P", "4")
        rates = [inner_rate(r) for r in run.result().each_second()]
        settled = sum(rates[4:8]) / len(rates[4:8])
        print(f"        {rates[0]:.0f}, then {settled:.2f} Mbit/s")
        self.assertGreater(rates[0], 8)
        self.assertAlmostEqual(settled, 4, delta=0.4)
        self.assertGreater(self.relay.drops()["throttle_up"], 0)

    def test_time_ends_in_mid_transfer(self):
        def has_session() -> bool:
            return self.relay.call("peer.get", {"name": "a-laptop"})["status"]["has_session"]

        self.assert_reaches(self.a(), net.FAR_V4)
        run = self.iperfs[0].start(self.a(), net.FAR_V4, 20)
        try:
            end = int(time.time()) + 3
            self.set("--expires", moment(end))
            until(lambda: not has_session(), 10, "the end of the session")
            late = time.time() - end
            print(f"        the session had ended {1000 * late:.0f} ms after its time")
            self.assertGreaterEqual(late, 0)
            self.assert_cut_off(self.b(), net.FAR_V4)
            self.assert_cut_off(self.lab.internet, "10.77.0.2")
            self.assertGreater(self.relay.drops()["user_expired"], 0)
            self.assertIn("expired", self.relay.ctl("user", "list").stdout)
        finally:
            self.stop([run])
        self.set("--expires", "never")
        until(lambda: ping(self.a(), net.FAR_V4, count=1).received == 1, 30, "alice's return")


class SessionsTest(LabCase):
    @classmethod
    def prepare(cls):
        cls.add_clients()
        cls.lab.start_relay(users=[{"name": "alice", "max_sessions": 1,
                                    "peers": [cls.lab.peer("a"), cls.lab.peer("b")]}])

    def refused(self) -> int:
        return self.relay.call("status.get")["handshakes"]["refused"]["sessions"]

    def test_one_too_many(self):
        self.lab.connect("a")
        self.assert_reaches(self.a(), net.FAR_V4)
        self.lab.connect("b")
        self.assert_cut_off(self.b(), net.FAR_V4)
        self.assertGreater(self.refused(), 0)
        self.assert_reaches(self.a(), net.FAR_V4)
        self.relay.ctl("user", "set", "alice", "--on-excess", "replace")
        until(lambda: ping(self.b(), net.FAR_V4, count=1).received == 1, 20, "b's turn")
        self.assert_cut_off(self.a(), net.FAR_V4)
