"""Protects reloads: users change live, what cannot change is named, and no packet is lost."""

import signal
import time

from tests.e2e import lab as net
from tests.e2e.case import LabCase
from tests.e2e.measure import Pinging
from tests.e2e.netns import until


class ReloadTest(LabCase):
    def test_reloads_under_traffic_lose_nothing(self):
        pinging = [Pinging(self.a(), net.FAR_V4, interval=0.005),
                   Pinging(self.b(), net.FAR_V6, interval=0.005)]
        time.sleep(0.2)
        for i in range(5):
            extra = [{"name": f"extra{j}"} for j in range(100 * i)]
            self.relay.config["users"] = self.users() + extra
            self.relay.reload()
            self.assertEqual(self.relay.call("user.list")["total"], 2 + len(extra))
        time.sleep(0.2)
        for p in pinging:
            self.assert_no_loss(p.stop(), at_least=50)

    def test_limits_change_by_reload(self):
        users = self.users()
        users[0]["limits"] = {"up": {"rate": "3M"}}
        self.relay.config["users"] = users
        self.relay.reload()
        shown = self.relay.call("user.get", {"name": "alice"})
        self.assertEqual(shown["limits"]["up"]["rate"], "3M")
        self.assert_reaches(self.a(), net.FAR_V4)

    def test_other_names_are_only_names(self):
        """By reload and by request: no packet is lost, and what was counted stays."""
        pinging = Pinging(self.a(), net.FAR_V4, interval=0.005)
        time.sleep(0.2)
        before = self.relay.call("peer.get", {"name": "a-laptop"})["status"]
        users = self.users()
        users[0]["name"], users[0]["peers"][0]["name"] = "alicia", "a-pad"
        self.relay.config["users"] = users
        self.relay.reload()
        after = self.relay.call("peer.get", {"name": "a-pad"})
        self.assertEqual(after["user"], "alicia")
        self.assertEqual(after["status"]["last_handshake"], before["last_handshake"])
        self.assertGreaterEqual(after["status"]["traffic"]["rx_bytes"],
                                before["traffic"]["rx_bytes"])
        self.relay.call("user.rename", {"users": [{"name": "alicia", "to": "bob"},
                                                  {"name": "bob", "to": "alicia"}]})
        self.assertEqual(self.relay.call("peer.get", {"name": "a-pad"})["user"], "bob")
        self.relay.call("user.rename", {"users": [{"name": "alicia", "to": "bob"},
                                                  {"name": "bob", "to": "alice"}]})
        self.relay.ctl("peer", "rename", "a-pad", "a-laptop")
        time.sleep(0.2)
        self.assert_no_loss(pinging.stop(), at_least=50)

    def test_a_bad_file_changes_nothing(self):
        """The log names path and reason, the relay goes on as it was."""
        self.relay.config["users"] = [{"name": "carol"}, {"name": "carol"}]
        self.relay.write_config()
        before = len(self.relay.log.read_text())
        self.relay.process.send_signal(signal.SIGHUP)
        until(lambda: "users[1]" in self.relay.log.read_text()[before:], 5, "problem in the log")
        names = {u["name"] for u in self.relay.call("user.list")["users"]}
        self.assertNotIn("carol", names)
        self.assert_reaches(self.a(), net.FAR_V4)

    def test_what_needs_a_restart_is_named(self):
        self.relay.config["listen"] = {"udp_port": 4711}
        self.relay.config["users"] = self.users()
        try:
            self.relay.write_config()
            told = self.relay.call("config.reload", {"force": True})["needs_restart"]
        finally:
            self.relay.config["listen"] = {"udp_port": net.PORT}
        self.assertIn("listen", " ".join(told))
        self.assert_reaches(self.a(), net.FAR_V4)
