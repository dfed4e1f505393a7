"""Protects limits that are changed live: they hold at once, and no session is lost over them."""

import time

from tests.e2e import lab as net
from tests.e2e.case import LabCase
from tests.e2e.measure import Iperf, inner_rate, ping


class LimitsTest(LabCase):
    @classmethod
    def prepare(cls):
        super().prepare()
        cls.iperf = Iperf(cls.lab.internet)

    def setUp(self):
        self.relay.ctl("user", "set", "alice", "--rate", "unlimited")

    def rates_around_a_change(self, change: tuple[str, ...], *options: str) -> tuple[float, float]:
        """Mbit/s of inner IP packets: before the change at two seconds, and settled behind it."""
        run = self.iperf.start(self.a(), net.FAR_V4, 8, "-P", "4", *options)
        run.wait_until(2)
        self.relay.ctl("user", "set", "alice", *change)
        rates = [inner_rate(r) for r in run.result().each_second()]
        return max(rates[:2]), sum(rates[4:8]) / len(rates[4:8])

    def assert_follows(self, limit: float, change: tuple[str, ...], *options: str):
        session = self.lab.clients["a"].last_handshake()
        before, after = self.rates_around_a_change(change, *options)
        print(f"        {before:.0f}, then {after:.2f} Mbit/s with {' '.join(change)}")
        self.assertGreater(before, 2 * limit)
        self.assertAlmostEqual(after, limit, delta=limit / 10)
        self.assertEqual(self.lab.clients["a"].last_handshake(), session)

    def test_the_rate_to_the_relay_follows(self):
        self.assert_follows(20, ("--rate-up", "20M"))
        self.assertGreater(self.relay.drops()["rate_up"], 0)

    def test_the_rate_from_the_relay_follows(self):
        self.assert_follows(20, ("--rate-down", "20M"), "-R")
        self.assertGreater(self.relay.drops()["rate_down"], 0)

    def test_a_limit_can_be_lifted(self):
        self.relay.ctl("user", "set", "alice", "--rate-up", "5M")
        limited = self.iperf.run(self.a(), net.FAR_V4, 2).goodput()
        self.relay.ctl("user", "set", "alice", "--rate-up", "unlimited")
        lifted = self.iperf.run(self.a(), net.FAR_V4, 2).goodput()
        self.assertGreater(lifted, 2 * limited)

    def test_packets_a_second_are_limited(self):
        """A burst of a quarter of a second, at least 32 packets, and then 100 a second."""
        self.relay.ctl("user", "set", "alice", "--packets-up", "100")
        try:
            began = time.monotonic()
            replies = ping(self.a(), net.FAR_V4, count=500, interval=0.002)
            took = time.monotonic() - began
        finally:
            self.relay.ctl("user", "set", "alice", "--packets-up", "unlimited")
        print(f"        {replies.received} of 500 in {took:.1f} s")
        self.assertLessEqual(replies.received, 32 + 100 * took + 1)
        self.assertGreaterEqual(replies.received, 32)
        self.assertGreater(self.relay.drops()["packet_rate_up"], 0)

    def test_one_users_limit_leaves_others_alone(self):
        self.relay.ctl("user", "set", "alice", "--rate", "100K")
        self.assert_no_loss(ping(self.b(), net.FAR_V4, count=50, interval=0.005, size=1300))
