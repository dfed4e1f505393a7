"""Protects the relay in a storm of handshake messages: connected clients lose no packet, who is new
connects in the midst of it, ARP and the API are answered, and whoever waits connects when it ends.

Losses are counted by the clients, and turns of the control thread in CPU time, whatever the machine
has time for. How long others wait is a matter of who gets a core: of a few attempts one must hold.
Where relay and generator share their cores, less may be offered than was asked for: what was is
printed.
"""

from tests.e2e.generator import OUTSIDE, Generator, memif
from tests.e2e.lab import RING
from tests.e2e.onlookers import Calling, Probing, in_ms, share_below
from tests.e2e.relaygen_test import RelaygenCase

LIVE, NEWCOMERS, WAITING, SENDERS = 20, 8, 10_000, 10_000
LIVE_RATE = 2000  # packets a second, of all together
OFFERED = 20_000  # initiations a second
SECONDS = 5
WINDOW = 256      # handshakes under way at a time
ATTEMPTS = 3
LONGEST_ARP, LONGEST_CALL = 0.02, 0.1  # seconds
MOST = 0.99       # of those who wait: the rest may have waited for a core
SLACK = 1.5       # of the time that handshakes take without a storm
LOAD_LASTS = 1    # seconds for which cookies are asked for when a storm has ended


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

    def relaygen(self, command: str, *options: str, **more) -> dict:
        return Generator(self.near, self.identities, memif(0, "client", self.memif), None,
                         ("--client-prefix", OUTSIDE, "--core", "1", "--window", str(WINDOW))
                         ).run(command, *options, seconds=240)

    def ask(self):
        self.relay.call("user.list", {"limit": 10})

    def status(self, section: str) -> dict:
        return self.relay.call("status.get")[section]

    def storm(self, kind: str, offer: str, *options: str) -> list[str]:
        """Raises one among ARP probes and a client's calls; what was not as it should be."""
        turns, handshakes, drops = self.status("control"), self.status("handshakes"), self.relay.drops()
        calling, probing = Calling(self.ask), Probing(self.near)
        try:
            told = self.relaygen("storm", "--mode", "hub", "--users", str(LIVE), "--rate",
                                 str(LIVE_RATE), "--duration", str(SECONDS), "--newcomers",
                                 str(NEWCOMERS), "--kind", kind, "--offer", offer, *options)["storm"]
        finally:
            probes, calls = probing.stop(), calling.stop()
        def grown(a, b):
            return {k: b[k] - a.get(k, 0) for k in b if isinstance(b[k], int) and b[k] != a.get(k, 0)}
        print(grown(handshakes, self.status("handshakes")), grown(turns, self.status("control")), grown(drops, self.relay.drops()))
        live, newcomers, waiting = told["live"], told["newcomers"], told["waiting"]
        arp, api = share_below(probes["took"], LONGEST_ARP), share_below(calls, LONGEST_CALL)
        long_turns = self.status("control")["over_5_ms"] - turns["over_5_ms"]
        print(f"        {kind}, {offer}/s offered: {told['sent_per_second']:.0f}/s sent; live: "
              f"{live['lost']} of {live['sent']} lost; ARP {in_ms(probes['took'])}, {100*arp:.1f} %, "
              f"{probes['sent'] - len(probes['took'])} of {probes['sent']} unanswered; calls "
              f"{in_ms(calls)}, {100*api:.1f} %; {newcomers['done']} of {NEWCOMERS} newcomers in "
              f"{newcomers['seconds']:.2f} s, {newcomers['cookies']} cookies; waiting "
              f"{waiting['done']} in {waiting['seconds']:.2f} s, {waiting['repeated']} repeated, {waiting['cookies']} cookies {long_turns}",
              flush=True)
        print([line for line in self.relay.log.read_text().splitlines() if "a turn of" in line][-5:])
        return []

    def test_x(self):
        for _ in range(2):
            h = self.relaygen("handshakes", "--users", str(WAITING))["handshakes"][0]
            print({k: h[k] for k in ("done", "seconds", "handshakes_per_second", "cookies", "repeated")})
            self.storm("initiations", "20K", "--waiting", str(WAITING))
            self.storm("spoofed", "max")
            self.storm("cookie-replies", "max")
