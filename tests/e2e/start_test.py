"""Protects start and stop: one clear line when something is missing, nothing left behind."""

import json
import pathlib
import signal
import time

from tests.e2e import lab as net
from tests.e2e.case import LabCase
from tests.e2e.measure import ping
from tests.e2e.netns import is_running, run
from tests.e2e.relay import RELAYD, ROOT, Relay


class BadStartTest(LabCase):
    """No relay runs in this lab; each test tries to start one that cannot."""

    @classmethod
    def prepare(cls):
        pass

    def start(self, config, *options: str):
        file = self.lab.folder / "bad.json"
        file.write_text(config if isinstance(config, str) else json.dumps(config))
        return self.lab.relay_side.run(str(RELAYD), "--config", str(file), *options, check=False,
                                       timeout=20)

    def assert_refused(self, config, *words: str):
        done = self.start(config)
        self.assertEqual(done.returncode, 1, done.stderr)
        lines = done.stderr.strip().splitlines()
        self.assertEqual(len(lines), 1, done.stderr)
        for word in words:
            self.assertIn(word, lines[0])
        self.assertNotIn("EAL", done.stderr)
        self.assertEqual(done.stdout, "")

    def device(self, text: str) -> dict:
        config = self.lab.relay_config()
        config["ports"][0]["device"] = text
        return config

    def test_a_missing_file(self):
        done = self.lab.relay_side.run(str(RELAYD), "--config", "/nowhere/relayd.json",
                                       check=False)
        self.assertEqual(done.returncode, 1)
        self.assertEqual(len(done.stderr.strip().splitlines()), 1, done.stderr)
        self.assertIn("/nowhere/relayd.json", done.stderr)

    def test_a_file_that_is_not_json(self):
        self.assert_refused("{ this is not JSON }", "bad.json")

    def test_an_unknown_field(self):
        self.assert_refused(self.lab.relay_config(tunel_addresses=[]), "tunel_addresses",
                            "tunnel_addresses")

    def test_a_port_that_does_not_exist(self):
        self.assert_refused(self.device("net_af_packet0,iface=nowhere0"), "ports[0].device",
                            "nowhere0")

    def test_a_pci_device_that_does_not_exist(self):
        self.assert_refused(self.device("0000:3b:1f.7"), "ports[0].device", "0000:3b:1f.7")

    def test_a_driver_that_does_not_exist(self):
        self.assert_refused(self.device("net_wishful0"), "ports[0].device", "net_wishful")

    def test_a_core_the_machine_lacks(self):
        self.assert_refused(
            self.lab.relay_config(workers={"cores": [4000], "control_core": 0}), "4000")

    def test_huge_pages_that_are_not_there(self):
        """As many as no machine of this kind has to give."""
        config = self.lab.relay_config(huge_pages="required", sizes={"mbufs": 4_000_000})
        self.assert_refused(config, "huge")

    def test_a_key_that_everybody_can_read_is_told_of(self):
        config = self.lab.relay_config()
        pathlib.Path(config["identity"]["private_key_file"]).chmod(0o644)
        file = self.lab.folder / "readable.json"
        file.write_text(json.dumps(config))
        try:
            done = run(str(RELAYD), "--check", str(file))
        finally:
            pathlib.Path(config["identity"]["private_key_file"]).chmod(0o600)
        self.assertIn("chmod 600", done.stderr)

    def test_a_rate_of_zero(self):
        config = self.lab.relay_config(users=[{"name": "x", "limits": {"up": {"rate": 0}}}])
        self.assert_refused(config, "users[0].limits.up.rate", "unlimited")

    def test_no_permission(self):
        """Without capabilities there is no raw socket for the port."""
        config = self.lab.relay_config()
        config["ports"] = config["ports"][:1]
        config["control_socket"] = "/tmp/wirelay-no-permission.sock"
        file = pathlib.Path("/tmp/wirelay-no-permission.json")
        key = pathlib.Path("/tmp/wirelay-no-permission.key")
        key.write_text(pathlib.Path(config["identity"]["private_key_file"]).read_text())
        config["identity"]["private_key_file"] = str(key)
        file.write_text(json.dumps(config))
        key.chmod(0o600)
        try:
            run("chown", "nobody", str(key), str(file))
            done = self.lab.relay_side.run("setpriv", "--reuid=nobody", "--clear-groups",
                                           "--bounding-set=-all", "--inh-caps=-all",
                                           str(RELAYD), "--config", str(file), check=False)
        finally:
            key.unlink()
            file.unlink()
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertEqual(len(done.stderr.strip().splitlines()), 1, done.stderr)

    def test_the_check_of_a_good_file_starts_nothing(self):
        file = self.lab.folder / "good.json"
        file.write_text(json.dumps(self.lab.relay_config()))
        done = run(str(RELAYD), "--check", str(file), check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertFalse((self.lab.folder / "relayd.sock").exists())

    def test_the_examples_are_readable(self):
        """Their devices and keys are elsewhere; everything else must be right."""
        for file in sorted((ROOT / "conf").glob("*.json")):
            if file.name.endswith(".schema.json"):
                continue
            with self.subTest(file=file.name):
                done = run(str(RELAYD), "--check", str(file), check=False)
                told = [line for line in done.stderr.splitlines()
                        if "private.key: cannot be read" not in line
                        and not line.startswith("warning: on this machine")]
                self.assertEqual(told, [])


class StopTest(LabCase):
    @classmethod
    def prepare(cls):
        cls.add_clients()

    def setUp(self):
        self.before = self.traces()
        self.lab.start_relay(users=self.users())

    def traces(self) -> set[str]:
        return {str(p) for p in (*pathlib.Path("/run").rglob("dpdk/*"),
                                 *pathlib.Path("/dev/hugepages").glob("*"),
                                 *pathlib.Path("/run/wirelay").glob("*"))}

    def assert_stops(self, how: int):
        process = self.relay.process
        process.send_signal(how)
        self.assertEqual(process.wait(10), 0, self.relay.log.read_text())
        self.assertFalse(is_running(process.pid))
        self.assertFalse(pathlib.Path(self.relay.socket).exists())
        self.assertEqual(self.traces() - self.before, set())

    def test_sigterm_leaves_nothing_behind(self):
        self.assert_stops(signal.SIGTERM)

    def test_sigint_leaves_nothing_behind(self):
        self.assert_stops(signal.SIGINT)

    def test_a_second_relay_on_the_same_socket_is_refused(self):
        second = Relay(self.lab.relay_side, self.lab.folder, self.relay.config)
        done = self.lab.relay_side.run(str(RELAYD), "--config", str(second.file), check=False,
                                       timeout=20)
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertEqual(self.relay.ctl("status").returncode, 0)
        self.assert_stops(signal.SIGTERM)

    def test_a_killed_relay_does_not_hinder_the_next(self):
        self.relay.process.kill()
        self.relay.process.wait()
        self.lab.start_relay(users=self.users())
        self.assert_stops(signal.SIGTERM)

    def test_an_idle_relay_uses_little_of_its_core(self):
        """The figure is printed; it is judged by benchmarks, on quiet machines."""
        began, used = time.monotonic(), self.relay.cpu_seconds()
        time.sleep(3)
        share = (self.relay.cpu_seconds() - used) / (time.monotonic() - began)
        print(f"        idle: {100 * share:.1f} % of a core")
        self.assertEqual(ping(self.lab.transit, net.RELAY_V4, count=3).lost, 0)
        self.assert_stops(signal.SIGTERM)

    def test_counters_and_keys_are_not_in_the_log(self):
        text = self.relay.log.read_text()
        secrets = [(self.lab.folder / "relay.key").read_text().strip()]
        secrets += [c.private_key for c in self.lab.clients.values()]
        for secret in secrets:
            self.assertNotIn(secret, text)
        self.assert_stops(signal.SIGTERM)
