"""Protects what the relay does with interfaces that are the kernel's, and what networks must see of
its ports."""

import json

from tests.e2e import lab as net
from tests.e2e.case import LabCase
from tests.e2e.measure import ping
from tests.e2e.relay import RELAYD


def interface(namespace, device: str) -> dict:
    """MTU, flags and modes, as the kernel has them."""
    state = json.loads(namespace.ip("-d", "-j", "link", "show", device).stdout)[0]
    return {key: state.get(key) for key in ("mtu", "flags", "promiscuity", "allmulti")}


class MtuTest(LabCase):
    """No `mtu` is configured; the interface that clients come by has 1,460, the other 9,000."""

    LAB = LabCase.LAB.replace("tst", "mtu")

    @classmethod
    def prepare(cls):
        wan, inet = cls.lab.relay_side, cls.lab.internet
        for namespace, device, mtu in ((wan, "wan", 1460), (cls.lab.transit, "relay", 1460),
                                       (wan, "inet", 9000), (inet, "relay", 9000)):
            namespace.ip("link", "set", device, "mtu", str(mtu))
        wan.ip("link", "set", "wan", "promisc", "on")
        cls.before = cls.interfaces()
        cls.add_clients()
        config = cls.lab.relay_config(users=cls.users())
        config["ports"][1]["device"] = "net_af_packet1,iface=inet"
        cls.lab.start_relay(**config)

    @classmethod
    def interfaces(cls):
        return {device: interface(cls.lab.relay_side, device) for device in ("wan", "inet")}

    def test_it_is_the_interfaces(self):
        ports = self.relay.call("status.get")["ports"]
        self.assertEqual({p["name"]: p["mtu"] for p in ports}, {"wan": 1460, "inet": 9000})

    def test_a_client_file_fits(self):
        self.assertIn("\nMTU = 1380\n", self.relay.ctl("peer", "config", "a-laptop").stdout)

    def test_jumbo_frames_pass(self):
        for target in ("192.0.2.2", "2001:db8:2::2"):
            with self.subTest(target=target):
                self.assert_no_loss(ping(self.lab.internet, target, size=8900,
                                         extra=("-M", "do")))

    def test_the_interfaces_stay_as_they_were(self):
        for device, now in self.interfaces().items():
            self.assertEqual(now["mtu"], self.before[device]["mtu"])
            self.assertEqual("PROMISC" in now["flags"], "PROMISC" in self.before[device]["flags"])
        self.relay.stop()
        self.assertEqual(self.interfaces(), self.before)
        self.relay.start()

    def test_more_than_the_interface_has_is_refused(self):
        config = self.lab.relay_config(control_socket=str(self.lab.folder / "other.sock"))
        config["ports"][0]["mtu"] = 9000
        file = self.lab.folder / "large.json"
        file.write_text(json.dumps(config))
        done = self.lab.relay_side.run(str(RELAYD), "--config", str(file), check=False, timeout=20)
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stderr, r'ports\[0\]\.mtu: found 9000, but the interface "wan" has an '
                                      r"MTU of 1460")
        self.assertIn("ports[0].device: found frames of 2048 bytes", done.stderr)
