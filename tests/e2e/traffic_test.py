"""Protects the main job: real clients, opened and sealed, over IPv4 and IPv6, inside and outside."""

from tests.e2e import lab as net
from tests.e2e.case import LabCase, ttl_of_reply
from tests.e2e.measure import Iperf, ping

B_V4, B_V6 = "10.77.0.3", "fd77::3"


class TrafficTest(LabCase):
    def test_a_reaches_the_internet(self):
        self.assert_reaches(self.a(), net.INTERNET_V4, net.INTERNET_V6, net.FAR_V4, net.FAR_V6)

    def test_b_reaches_the_internet_over_ipv6_outside(self):
        self.assert_reaches(self.b(), net.FAR_V4, net.FAR_V6)

    def test_a_reaches_b_and_b_reaches_a(self):
        self.assert_reaches(self.a(), B_V4, B_V6)
        self.assert_reaches(self.b(), "10.77.0.2", "fd77::2")

    def test_the_internet_reaches_a(self):
        self.assert_reaches(self.lab.internet, "10.77.0.2", "fd77::2")

    def test_the_relay_answers_inside_the_tunnel(self):
        self.assert_reaches(self.a(), net.TUNNEL_V4, net.TUNNEL_V6)

    def test_the_relay_answers_on_its_ports(self):
        self.assert_reaches(self.lab.transit, net.RELAY_V4, net.RELAY_V6)
        self.assert_reaches(self.a(), net.RELAY_V4, net.RELAY_V6)
        self.assert_reaches(self.lab.internet, "192.0.2.2", "2001:db8:2::2")

    def test_the_control_thread_is_not_asked_for_each_packet(self):
        """Neither for gateways nor for others: next hops are found by the workers."""
        def punted() -> int:
            return sum(w["punted"] for w in self.relay.call("stats.get")["workers"])
        for target in (net.INTERNET_V4, net.INTERNET_V6, net.FAR_V4, net.FAR_V6, B_V4):
            with self.subTest(target=target):
                before = punted()
                self.assert_no_loss(ping(self.a(), target, count=50, interval=0.005))
                self.assertLess(punted() - before, 25)

    def test_packets_of_every_size_pass(self):
        for size in (0, 1, 15, 16, 17, 500, 1000, 1371, 1372, 1391, 1392):
            with self.subTest(size=size):
                self.assert_no_loss(ping(self.a(), net.FAR_V4, count=2, size=size,
                                         extra=("-M", "do")))
        self.assert_no_loss(ping(self.a(), net.FAR_V6, count=2, size=1372, extra=("-M", "do")))

    def test_fragments_inside_the_tunnel_pass(self):
        self.assert_no_loss(ping(self.a(), B_V4, count=2, size=4000))
        self.assert_no_loss(ping(self.a(), B_V6, count=2, size=4000))

    def test_a_hop_is_counted(self):
        self.assertEqual(ttl_of_reply(self.a(), net.FAR_V4), 63)
        self.assertEqual(ttl_of_reply(self.a(), net.FAR_V6), 63)
        before = self.relay.drops().get("ttl_expired", 0)
        ping(self.a(), net.FAR_V4, count=2, extra=("-t", "1"))
        self.assertEqual(self.relay.drops()["ttl_expired"], before + 2)

    def test_a_foreign_source_is_refused(self):
        self.a().address(self.lab.clients["a"].device, "10.77.0.99/32")
        before = self.relay.drops().get("source_not_allowed", 0)
        replies = ping(self.a(), net.FAR_V4, count=3, extra=("-I", "10.77.0.99"))
        self.assertEqual(replies.received, 0)
        self.assertEqual(self.relay.drops()["source_not_allowed"], before + 3)

    def test_tcp_flows_both_ways(self):
        iperf = Iperf(self.lab.internet)
        for target in (net.FAR_V4, net.FAR_V6):
            for options in ((), ("-R",)):
                with self.subTest(target=target, options=options):
                    goodput = iperf.run(self.a(), target, 1, *options).goodput()
                    self.assertGreater(goodput, 1)
                    print(f"        {target} {' '.join(options) or '  '}: {goodput:.0f} Mbit/s")

    def test_tcp_flows_from_client_to_client(self):
        iperf = Iperf(self.b())
        goodput = iperf.run(self.a(), B_V4, 1).goodput()
        self.assertGreater(goodput, 1)
        print(f"        a to b: {goodput:.0f} Mbit/s")

    def test_what_passed_is_counted(self):
        before = self.relay.call("peer.get", {"name": "a-laptop"})["status"]["traffic"]
        ping(self.a(), net.FAR_V4, count=10, size=100)
        after = self.relay.call("peer.get", {"name": "a-laptop"})["status"]["traffic"]
        for way in ("rx", "tx"):
            self.assertEqual(after[f"{way}_bytes"] - before[f"{way}_bytes"], 10 * 128)
