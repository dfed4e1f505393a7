"""Protects several workers at once: sessions keep their owner, strays find it, limits hold."""

import os

from tests.e2e import lab as net
from tests.e2e.case import LabCase
from tests.e2e.measure import Iperf, inner_rate, ping


class TwoWorkersTest(LabCase):
    """Each port has two queues; the kernel spreads packets over them by their flow, so that many
    arrive at the worker that does not own their session."""

    @classmethod
    def prepare(cls):
        cls.add_clients()
        config = cls.lab.relay_config()
        for port in config["ports"]:
            port["device"] += ",qpairs=2"
        cores = [1, 0] if os.cpu_count() > 1 else [0, 0]
        cls.lab.start_relay(users=cls.users(), ports=config["ports"],
                            workers={"cores": cores, "control_core": 0, "polling": "adaptive"})
        cls.connect_both()

    def workers(self) -> list[dict]:
        return self.relay.call("stats.get")["workers"]

    def test_everybody_reaches_everybody(self):
        for _ in range(5):
            self.assert_reaches(self.a(), net.FAR_V4, net.FAR_V6, "10.77.0.3", "fd77::3")
            self.assert_reaches(self.b(), net.FAR_V4, net.FAR_V6)

    def test_both_workers_work_and_strays_find_their_owner(self):
        iperf = Iperf(self.lab.internet)
        for options in (("-P", "8"), ("-P", "8", "-R")):
            self.assertGreater(iperf.run(self.a(), net.FAR_V4, 1, *options).goodput(), 1)
        workers = self.workers()
        self.assertEqual(len(workers), 2)
        for worker in workers:
            self.assertGreater(worker["rx_packets"], 0)
        self.assert_no_loss(ping(self.a(), net.FAR_V4, count=20))

    def test_a_limit_holds_over_both_workers(self):
        iperf = Iperf(self.lab.internet, port=5202)
        self.relay.ctl("user", "set", "alice", "--rate-down", "20M")
        rates = iperf.run(self.a(), net.FAR_V4, 6, "-P", "4", "-R").each_second()
        self.relay.ctl("user", "set", "alice", "--rate-down", "unlimited")
        settled = inner_rate(sum(rates[2:]) / len(rates[2:]))
        self.assertAlmostEqual(settled, 20, delta=2)
