"""Protects relaygen at work: real handshakes and traffic through relayd, and through wireguard-go,
which knows nothing of this project; what it reports is what happened.

No trial sends more packets than the ports' rings hold, so that a slow machine loses none.
"""

import os
import pathlib
import shutil
import signal
import subprocess
import time
import unittest

from tests.e2e.case import why_not_here
from tests.e2e.generator import (ENDPOINT, INSIDE, RELAYGEN, Generator, GeneratorFailed,
                                 WireguardGo, make_identities, memif, relayd_config)
from tests.e2e.lab import RING, folder_of
from tests.e2e.netns import Namespace, link, remove_namespaces, stop, until
from tests.e2e.relay import Relay

USERS = 20
PACKETS = 1000
FEWEST_OF_A_TRIAL = 10_000  # packets: what goes ahead of a trial stays far below

# Another generator: plain UDP of the kernel to the clients in turn, a thousand a second.
FOREIGN_BYTES = 100
FOREIGN_SENDER = """
import ipaddress, socket, sys, time
users, size = map(int, sys.argv[1:])
out = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
first = ipaddress.ip_address("10.64.0.2")
while True:
    for user in range(users):
        out.sendto(bytes(size), (str(first + user), 4000))
    time.sleep(users / 1000)
"""


class RelaygenCase(unittest.TestCase):
    """relaygen's namespace and the far end's, with two links between them."""

    NAME = "wl-gen"
    USERS = USERS

    @classmethod
    def setUpClass(cls):
        if reason := why_not_here():
            raise unittest.SkipTest(reason)
        if not RELAYGEN.exists():
            raise unittest.SkipTest(f"needs {RELAYGEN}: ninja -C build")
        cls.name = f"{cls.NAME}{os.getpid()}"
        cls.folder = folder_of(cls.name)
        cls.folder.mkdir(mode=0o700)
        cls.addClassCleanup(shutil.rmtree, cls.folder, ignore_errors=True)
        cls.addClassCleanup(remove_namespaces, f"{cls.name}-")
        cls.near = Namespace(f"{cls.name}-near")
        cls.far = Namespace(f"{cls.name}-far")
        cls.near.sysctl("ipv6.conf.all.disable_ipv6=1")
        cls.near.sysctl("ipv6.conf.default.disable_ipv6=1")
        for device in ("wan", "inet"):
            link(cls.near, device, cls.far, device)
        cls.identities = cls.folder / "identities"
        make_identities(cls.identities, cls.USERS, "--preshared-keys")
        cls.start_far_end()

    @classmethod
    def start_far_end(cls):
        raise unittest.SkipTest("the base of the cases below")

    @classmethod
    def start_relayd(cls, *devices: str, seconds: float = 20):
        cls.far.sysctl("ipv6.conf.all.disable_ipv6=1")
        cls.far.sysctl("ipv6.conf.default.disable_ipv6=1")
        cls.relay = Relay(cls.far, cls.folder, relayd_config(
            cls.folder, cls.identities, devices, cls.identities / "users.json",
            **cls.relayd_changes()))
        cls.addClassCleanup(cls.relay.stop)
        cls.relay.start(seconds=seconds)

    @classmethod
    def relayd_changes(cls) -> dict:
        """Sections of its configuration that are other than relayd_config() has them."""
        return {}

    def sessions(self) -> int:
        """How many relayd has seen come up."""
        return self.relay.call("status.get")["handshakes"]["completed"]

    def generator(self, endpoint: str = ENDPOINT, peers: pathlib.Path | None = None) -> Generator:
        return Generator(self.near, self.identities, f"net_af_packet0,iface=wan,{RING}",
                         f"net_af_packet1,iface=inet,{RING}", ("--idle-sleep", "20"), endpoint,
                         peers)

    def relaygen(self, command: str, *options: str, **more) -> dict:
        """Runs a command; returns its JSON."""
        return self.generator(**more).run(command, *options)

    def receive_from_another_sender(self, users: int) -> dict:
        """What `receive` counts of the kernel's UDP packets to the clients, sent all the while."""
        self.near.address("inet", "192.0.2.1/24")
        self.near.route(INSIDE[0], "via", "192.0.2.2")
        self.addCleanup(self.near.ip, "address", "flush", "dev", "inet")
        sender = self.near.spawn("python3", "-c", FOREIGN_SENDER, str(users), str(FOREIGN_BYTES),
                                 stdout=subprocess.DEVNULL)
        self.addCleanup(stop, sender)
        generator = Generator(self.near, self.identities, f"net_af_packet0,iface=wan,{RING}", None,
                              ("--idle-sleep", "20"))
        report = generator.run("receive", "--duration", "2", "--users", str(users), "--sample", "1")
        return report["received"][0]

    def assert_received(self, received: dict):
        self.assertGreater(received["packets"], 0)
        self.assertEqual(received["bad_tag"], 0)
        self.assertGreaterEqual(received["verified"], received["packets"])
        padded = (28 + FOREIGN_BYTES + 15) // 16 * 16  # IP and UDP headers, WireGuard's padding
        self.assertAlmostEqual(received["padded_inner_ip_bps"] / received["pps"], 8 * padded, 3)

    def run_trials(self, *options: str, **more) -> list[dict]:
        return self.relaygen("run", "--packets", str(PACKETS), "--round", "1024", "--sample", "1",
                             "--drain", "5", *options, **more)["trials"]

    def assert_clean(self, trial: dict):
        for fault in ("lost", "duplicates", "corrupt", "refused_by_port", "late"):
            self.assertEqual(trial[fault], 0, f"{fault}: {trial}")
        self.assertEqual((trial["sent"], trial["received"]), (PACKETS, PACKETS))
        self.assertEqual(trial["verified"], PACKETS)


class AgainstRelaydTest(RelaygenCase):
    NAME = "wl-genr"

    @classmethod
    def start_far_end(cls):
        cls.start_relayd(f"net_af_packet0,iface=wan,{RING}", f"net_af_packet1,iface=inet,{RING}")

    def test_every_mode_and_family(self):
        trials = self.run_trials("--mode", "up,down,hub", "--family", "both", "--size", "64,imix",
                                 "--rate", "5K")
        self.assertEqual([(t["mode"], t["size"]) for t in trials],
                         [(m, s) for m in ("up", "down", "hub") for s in ("64", "imix")])
        for trial in trials:
            with self.subTest(mode=trial["mode"], size=trial["size"]):
                self.assert_clean(trial)

    def test_sessions_over_ipv6(self):
        for trial in self.run_trials("--mode", "up,down", "--size", "1420", "--rate", "5K",
                                     endpoint="[2001:db8:1::1]:51820"):
            self.assert_clean(trial)

    def test_as_fast_as_possible(self):
        trial, = self.run_trials("--mode", "up", "--users", "3", "--rate", "max")
        self.assert_clean(trial)
        self.assertIsNone(trial["offered_pps"])
        self.assertEqual(trial["users"], 3)

    def test_search_latency_and_handshakes(self):
        brief = ("--size", "128", "--duration", "0.02", "--round", "512", "--drain", "0.5")
        found = self.relaygen("search", *brief, "--max-rate", "1K", "--loss-threshold", "0.9",
                              "--resolution", "0.5")["results"]
        self.assertEqual(len(found), 1)
        self.assertGreater(found[0]["best"]["received"], 0)
        report = self.relaygen("latency", *brief, "--rate", "1K", "--load", "50")
        latency = report["results"][0]["trials"][0]["latency"]
        self.assertGreater(latency["packets"], 0)
        self.assertLessEqual(latency["p50_ns"], latency["p99_9_ns"])
        self.assertLessEqual(latency["p99_9_ns"], latency["max_ns"])
        report = self.relaygen("handshakes", "--window", "4")
        self.assertEqual(report["handshakes"][0]["done"], USERS)
        self.assertNotIn("failure", report)
        for field in ("processor", "dpdk", "aead_engine", "relaygen"):
            self.assertTrue(report["machine"][field])
        self.assertEqual(report["parameters"]["window"], "4")

    def test_every_count_of_handshakes_is_one_of_all_its_clients(self):
        report = self.relaygen("handshakes", "--users", "2,3")
        self.assertEqual([h["done"] for h in report["handshakes"]], [2, 3])

    def test_a_storm_beside_traffic(self):
        before = self.relay.call("status.get")["handshakes"]
        told = self.relaygen("storm", "--mode", "hub", "--users", "3", "--rate", "1K", "--offer",
                             "200", "--unknown", "0.25", "--duration", "0.5", "--newcomers", "2",
                             "--waiting", "4")["storm"]
        after = self.relay.call("status.get")["handshakes"]
        self.assertEqual(told["made"], 100)
        self.assertGreaterEqual(told["sent"], 100)
        self.assertEqual((told["live"]["sent"], told["live"]["lost"]), (500, 0))
        self.assertEqual((told["newcomers"]["done"], told["waiting"]["done"]), (2, 4))
        self.assertGreaterEqual(after["refused"]["unknown_peer"] - before["refused"]["unknown_peer"],
                                25)
        self.assertGreaterEqual(after["responses_sent"] - before["responses_sent"], 75)

    def test_what_another_generator_sends_is_counted(self):
        self.assert_received(self.receive_from_another_sender(USERS))

    def test_slow_rates_are_held_from_round_to_round(self):
        """A round lasts a second at most; the next one begins where this one ends."""
        began = time.monotonic()
        trial, = self.relaygen("run", "--users", "1", "--rate", "2", "--packets", "4")["trials"]
        self.assertEqual(trial["received"], 4)
        self.assertGreaterEqual(time.monotonic() - began, 2)

    def test_an_interrupted_run_tells_what_it_has(self):
        before = self.sessions()
        generating = self.generator().start("run", "--users", "1", "--rate", "1K", "--duration", "600")
        self.addCleanup(stop, generating.process)
        until(lambda: self.sessions() > before, 30, "session")
        generating.process.send_signal(signal.SIGINT)
        report = generating.result(seconds=30, accept=(128 + signal.SIGINT,))
        self.assertEqual(report["failure"], "interrupted")
        self.assertTrue(report["machine"]["dpdk"])
        self.assertIn("relaygen: interrupted", generating.text)
        self.assertFalse(pathlib.Path(f"/var/run/dpdk/relaygen{generating.process.pid}").exists())

    def test_what_cannot_work_is_told_at_once(self):
        for options, what in ((("--json", "/nowhere/a.json"), "--json: cannot write /nowhere/a.json"),
                              (("--core", "1000"), "--core: there is no core 1000"),
                              (("--engine", "abacus"), "--engine: AEAD engine \"abacus\""),
                              (("--plain-port", self.generator().tunnel_device), "--plain-port")):
            command = self.generator().command("run")
            if options[0] in command:
                command[command.index(options[0]) + 1] = options[1]
            else:
                command += options
            done = self.near.run(*command, check=False)
            with self.subTest(options=options):
                self.assertIn(done.returncode, (1, 2))
                self.assertIn(what, done.stderr)

    def test_silence_is_told_by_the_exit_code(self):
        """Identities that the relay does not know get no answer."""
        strangers = self.folder / "strangers"
        make_identities(strangers, 2)
        with self.assertRaises(GeneratorFailed) as failure:
            self.relaygen("run", "--give-up", "0.3", "--retry", "0.1",
                          peers=strangers / "peers.txt")
        self.assertEqual(failure.exception.code, 3)


class GoneFarEndTest(RelaygenCase):
    """relayd over memif, whose rings stay full when it no longer empties them."""

    NAME = "wl-genm"

    @classmethod
    def start_far_end(cls):
        cls.sockets = [cls.folder / f"{name}.sock" for name in ("wan", "inet")]
        cls.start_relayd(*(memif(i, "server", s) for i, s in enumerate(cls.sockets)))

    def test_a_far_end_that_takes_nothing_more_is_told(self):
        devices = [memif(i, "client", s) for i, s in enumerate(self.sockets)]
        generating = Generator(self.near, self.identities, *devices).start(
            "run", "--users", "1", "--rate", "max", "--duration", "600")
        self.addCleanup(stop, generating.process)
        until(lambda: self.received() > FEWEST_OF_A_TRIAL, 30, "packets of the trial")
        self.relay.process.send_signal(signal.SIGSTOP)
        self.addCleanup(self.relay.process.send_signal, signal.SIGCONT)
        report = generating.result(seconds=60, accept=(3,))
        self.assertIn("has taken no packet", report["failure"])

    def received(self) -> int:
        wan, _ = self.relay.call("stats.get")["ports"]
        return wan["rx_packets"]


class AgainstWireguardGoTest(RelaygenCase):
    NAME = "wl-geng"

    @classmethod
    def start_far_end(cls):
        wireguard_go = WireguardGo(cls.far, cls.name[-15:])
        cls.addClassCleanup(wireguard_go.stop)
        wireguard_go.start(cls.identities / "wg.conf")

    def test_every_mode(self):
        for trial in self.run_trials("--mode", "up,down,hub", "--size", "576", "--rate", "5K"):
            with self.subTest(mode=trial["mode"]):
                self.assert_clean(trial)

    def test_what_another_generator_sends_is_counted(self):
        self.assert_received(self.receive_from_another_sender(USERS))
