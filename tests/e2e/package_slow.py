"""Protects what an operator installs: packages without faults, a relay that serves a client as soon as
"relayctl setup" has what it needs, as a user with no more rights than its unit names, and what an upgrade,
a removal and a purge leave.
"""

import pathlib
import shutil
import subprocess
import tempfile
import unittest

from tests.e2e.case import lab_name
from tests.e2e.installed import Installed, make_packages
from tests.e2e.measure import ping
from tests.e2e.netns import Namespace, link, remove_namespaces, run, stop, until
from tests.e2e.relay import RELAYD

LAB = lab_name("pkg")
CLIENT = "pkg-wg"  # its control socket is one of the machine's


class PackageTest(unittest.TestCase):
    """The tests' order is that of an installation's life."""

    @classmethod
    def setUpClass(cls):
        if not RELAYD.exists():
            raise unittest.SkipTest(f"needs {RELAYD}: tools/test.sh")
        remove_namespaces(LAB)
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="wirelay-packages-"))
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        cls.packages = make_packages(cls.folder)
        cls.debian = Installed(next(p for p in cls.packages if p.name.startswith("wirelay_")))
        cls.addClassCleanup(cls.debian.remove)
        cls.addClassCleanup(remove_namespaces, LAB)
        cls.box, cls.client = Namespace(LAB + "box"), Namespace(LAB + "client")
        link(cls.box, "wan", cls.client, "eth0")
        cls.client.address("eth0", "192.0.2.2/24")

    def ctl(self, *arguments: str) -> str:
        return self.debian.run("relayctl", *arguments, namespace=self.box).stdout

    def test_1_lintian_finds_no_errors(self):
        done = run("lintian", "--allow-root", "--fail-on", "error", *map(str, self.packages),
                   check=False)
        self.assertEqual(done.returncode, 0, done.stdout)

    def test_2_setup_asks_for_what_is_missing(self):
        done = self.debian.run("relayctl", "setup", namespace=self.box, check=False)
        self.assertEqual(done.returncode, 2)
        self.assertIn("--addresses", done.stderr)

    def test_3_set_up_it_serves(self):
        self.ctl("setup", "--interface", "wan", "--addresses", "192.0.2.1/24", "--gateways",
                 "192.0.2.2", "--no-start")
        modes = self.debian.run("stat", "-c", "%U:%G %a", "/etc/wirelay", "/etc/wirelay/relayd.json",
                                "/etc/wirelay/private.key").stdout.split("\n")
        self.assertEqual(modes[:3], ["root:wirelay 750", "root:wirelay 640", "wirelay:wirelay 400"])
        # As RuntimeDirectory= and StateDirectory= make them.
        self.debian.run("install", "-d", "-o", "wirelay", "-g", "wirelay", "-m", "0750",
                        "/run/wirelay")
        self.debian.run("install", "-d", "-o", "wirelay", "-g", "wirelay", "-m", "0700",
                        "/var/lib/wirelay")
        log = self.folder / "log"
        with open(log, "w", encoding="utf-8") as out:
            relay = self.debian.serve(self.box, stderr=out)
        try:
            until(lambda: "capabilities from now on" in log.read_text(), 20, "relay that serves")
            self.assertIn("capabilities from now on: CAP_NET_ADMIN; system calls: restricted",
                          log.read_text())
            self.serve_a_client()
        finally:
            self.assertEqual(stop(relay), 0, log.read_text())
        self.assertNotIn("error", log.read_text())

    def serve_a_client(self):
        self.ctl("user", "add", "alice")
        text = self.ctl("peer", "add", "phone", "--user", "alice", "--generate")
        self.assertIn("Endpoint = 192.0.2.1:51820", text)
        wireguard = self.client.spawn("wireguard-go", "-f", CLIENT, stdout=subprocess.DEVNULL,
                                      stderr=subprocess.DEVNULL)
        try:
            until(lambda: self.client.run("wg", "show", CLIENT, check=False).returncode == 0, 10,
                  "wireguard-go")
            stripped = "".join(line + "\n" for line in text.splitlines()
                               if not line.startswith(("Address", "DNS", "MTU", "#")))
            self.client.run("wg", "setconf", CLIENT, "/dev/stdin", text_in=stripped)
            self.client.address(CLIENT, "10.77.0.2/32")
            self.client.ip("link", "set", CLIENT, "up")
            self.client.route("10.77.0.0/16", "dev", CLIENT)
            until(lambda: ping(self.client, "10.77.0.1", count=1).lost == 0, 10,
                  "answer through the tunnel")
        finally:
            stop(wireguard)

    def test_4_an_upgrade_keeps_configuration_and_users(self):
        before = self.debian.run("sha256sum", "/etc/wirelay/relayd.json", "/etc/wirelay/private.key",
                                 "/var/lib/wirelay/relay.db").stdout
        newer = make_packages(self.folder / "newer", "--version", "0.1.1")
        package = next(p for p in newer if p.name.startswith("wirelay_"))
        shutil.copy(package, self.debian.root / "root")
        self.debian.run("dpkg", "-i", f"/root/{package.name}")
        after = self.debian.run("sha256sum", "/etc/wirelay/relayd.json", "/etc/wirelay/private.key",
                                "/var/lib/wirelay/relay.db").stdout
        self.assertEqual(before, after)
        self.assertIn("0.1.1", self.debian.run("dpkg-query", "-W", "wirelay").stdout)

    def test_5_removed_it_leaves_what_is_the_operators_and_purged_nothing(self):
        self.debian.run("dpkg", "--remove", "wirelay")
        self.debian.run("test", "-e", "/etc/wirelay/private.key")
        self.debian.run("test", "-e", "/var/lib/wirelay/relay.db")
        self.debian.run("dpkg", "--purge", "wirelay")
        left = self.debian.run("sh", "-c", "find / -xdev -path /proc -prune -o -name '*wirelay*' "
                               "-print -o -name 'relay[dc]*' -print").stdout.split()
        left = [name for name in left if not name.startswith(("/root/", "/run/", "/tmp/", "/var/log/"))]
        self.assertEqual(left, [])


if __name__ == "__main__":
    unittest.main()
