"""Protects the relay in a storm of handshake messages: connected clients lose no packet, ARP and the
API are answered, whoever waits connects when it ends, and messages without mac1 keep nobody from
connecting.

Losses are counted by the clients, whatever the machine has time for. How long others wait is a
matter of who gets a core: of a few attempts one must hold. Where relay and generator share their
cores, less may be offered than was asked for; what was is printed.
"""

import unittest

from tests.e2e.generator import OUTSIDE, Generator, memif
from tests.e2e.lab import RING
from tests.e2e.onlookers import Calling, Probing, in_ms
from tests.e2e.relaygen_test import RelaygenCase

LIVE, NEWCOMERS, WAITING, SENDERS = 20, 8, 10_000, 10_000
LIVE_RATE = 2000  # packets a second, of all together
OFFERED = 20_000  # initiations a second
SECONDS = 5
ATTEMPTS = 3
LONGEST_ARP, LONGEST_CALL = 0.02, 0.1


class StormTest(RelaygenCase):
    NAME = "wl-storm"
    USERS = LIVE + NEWCOMERS + WAITING + SENDERS

    @classmethod
    def start_far_end(cls):
        cls.memif = cls.folder / "wan.sock"
        cls.start_relayd(memif(0, "server", cls.memif), f"net_af_packet1,iface=inet,{RING}",
                         seconds=60)

    @classmethod
    def relayd_changes(cls) -> dict:
        return {"sizes": {"users": cls.USERS, "peers": cls.USERS}, "log_level": "debug"}

    def storm(self, *options: str) -> dict:
        generator = Generator(self.near, self.identities, memif(0, "client", self.memif), None,
                              ("--client-prefix", OUTSIDE, "--core", "1"))
        return generator.run("storm", "--mode", "hub", "--users", str(LIVE), "--rate",
                             str(LIVE_RATE), "--duration", str(SECONDS), *options,
                             seconds=240)["storm"]

    def test_x(self):
        for options in (("--kind", "initiations", "--offer", str(OFFERED), "--waiting", str(WAITING), "--window", "10000"),
                        ("--kind", "spoofed", "--offer", "max"),
                        ("--kind", "cookie-replies", "--offer", "max", "--newcomers", str(NEWCOMERS))):
            before = self.relay.call("status.get")
            cpu = self.relay.cpu_seconds()
            calling, probing = Calling(lambda: self.relay.call("user.get", {"name": "user-1"} , 5) if 0 else self.relay.call("status.get", {}, 5)), Probing(self.near)
            try:
                told = self.storm(*options)
            finally:
                probes, calls = probing.stop(), calling.stop()
            after = self.relay.call("status.get")
            print(options, flush=True)
            print({k: v for k, v in told.items() if not isinstance(v, dict)})
            live = told["live"]
            print({k: live[k] for k in ("sent", "received", "lost", "greatest_send_lag_ns", "missed_by_generator", "latency", "generator_busy", "send_seconds")})
            print({k: told["newcomers"].get(k) for k in ("done", "seconds", "cookies", "repeated")}, {k: told["waiting"].get(k) for k in ("done", "seconds", "cookies", "repeated", "handshakes_per_second")})
            def grown(a, b):
                return {k: b[k] - a[k] for k in b if isinstance(b[k], int) and b[k] != a[k]}
            print(grown(before["handshakes"], after["handshakes"]), grown(before["control"], after["control"]))
            print("ARP", in_ms(probes["took"]), probes["sent"] - len(probes["took"]), "of", probes["sent"], "calls", in_ms(calls), len(calls))
            print(self.relay.drops(), self.relay.cpu_seconds() - cpu, flush=True)


if __name__ == "__main__":
    unittest.main()
