"""Protects who may do what at the control sockets: one group all, one to look, others nothing; and
that the log tells who changed what."""

import os
import subprocess
import tempfile

from tests.e2e.case import LabCase
from tests.e2e.netns import until
from tests.e2e.relay import RELAYCTL

ALL, READERS, OTHERS = 61101, 61102, 61103
NOBODY = 65534


class RightsTest(LabCase):
    @classmethod
    def prepare(cls):
        # Whoever is no root must get at the socket, and the lab's folder is root's.
        folder = tempfile.TemporaryDirectory(prefix="wirelay-rights-")
        cls.addClassCleanup(folder.cleanup)
        os.chmod(folder.name, 0o755)
        cls.add_clients()
        cls.lab.start_relay(users=cls.users(), control_socket=f"{folder.name}/relayd.sock",
                            control_socket_group=str(ALL), control_read_group=str(READERS))

    def ctl_as(self, group: int, *arguments: str) -> subprocess.CompletedProcess:
        def become():
            os.setgroups([])
            os.setgid(group)
            os.setuid(NOBODY)

        return subprocess.run([str(RELAYCTL), "--socket", self.relay.socket, *arguments],
                              preexec_fn=become, capture_output=True, text=True, timeout=60)

    def test_the_group_of_the_socket_may_do_all(self):
        self.assertEqual(self.ctl_as(ALL, "user", "add", "zoe").returncode, 0)
        done = self.ctl_as(ALL, "user", "remove", "zoe")
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_readers_look_and_change_nothing(self):
        done = self.ctl_as(READERS, "status")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(self.ctl_as(READERS, "user", "list").returncode, 0)
        for command in (["user", "add", "mallory"], ["user", "remove", "alice"], ["reload"],
                        ["export", "-"]):
            done = self.ctl_as(READERS, *command)
            self.assertEqual(done.returncode, 1, (command, done.stdout, done.stderr))
            self.assertIn("only for reading", done.stderr)
        names = {u["name"] for u in self.relay.call("user.list")["users"]}
        self.assertEqual(names, {"alice", "bob"})

    def test_others_get_nowhere(self):
        done = self.ctl_as(OTHERS, "status")
        self.assertEqual(done.returncode, 3)
        self.assertIn("permission denied", done.stderr)

    def test_the_log_tells_who_changed_what(self):
        key = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
        self.assertEqual(self.ctl_as(ALL, "user", "add", "yuri").returncode, 0)
        self.relay.call("peer.add", {"name": "yuri-phone", "user": "yuri", "public_key": key,
                                     "preshared_key": key, "allowed_ips": ["10.77.9.9/32"]})
        self.ctl_as(ALL, "user", "remove", "yuri")
        # Refused, for it has gone. Others were told already that they are refused.
        self.relay.ctl("user", "remove", "yuri", check=False)
        who = f"user {NOBODY} (group {ALL}, process "

        def told() -> bool:
            log = self.relay.log.read_text()
            return all(line in log for line in (
                who, 'asked for user.add "yuri": users: 1 added',
                'asked for user.remove "yuri": users: 0 added, 0 changed, 1 removed',
                'asked for user.remove "yuri": refused'))

        until(told, 5, "changes in the log")
        self.assertNotIn(key[:20], self.relay.log.read_text())
