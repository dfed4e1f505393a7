"""Protects the smallest machine: what conf/relayd.small.json promises, within the memory and the one
processor that it names. Memory and CPU time are the relay's own; a busy machine has three attempts to show
that no packet is lost.
"""

import json
import pathlib
import re
import time

from tests.e2e.generator import OUTSIDE, Generator
from tests.e2e.lab import RING
from tests.e2e.relay import ROOT
from tests.e2e.relaygen_test import RelaygenCase

USERS = 500
LIMIT = "10M"                      # of each, either way
RATE, SECONDS = "100Mbit", 5
MEMORY, RESIDENT = 1536 << 20, 256 << 20
IDLE_SECONDS, IDLE_NOBODY, IDLE_CLIENTS = 10, 0.02, 0.10
ROUNDS, SETTLED = 30, 10           # of users that come and go, and connect anew
GROWTH = 2 << 20                   # bytes, from the round in which all has been used to the last
ATTEMPTS = 3
GROUPS = pathlib.Path("/sys/fs/cgroup")


def small_config() -> dict:
    text = (ROOT / "conf" / "relayd.small.json").read_text()
    return json.loads(re.sub(r"^\s*//.*$", "", text, flags=re.MULTILINE))


class Group:
    """A control group of one processor and so much memory, of version 2 or 1."""

    def __init__(self, name: str):
        unified = (GROUPS / "cgroup.controllers").exists()
        settings = {
  "cpu.max" : "100000 100000", "memory.max" : str(MEMORY)} if unified else {
            "cpu/cpu.cfs_period_us": "100000", "cpu/cpu.cfs_quota_us": "100000",
            "memory/memory.limit_in_bytes": str(MEMORY)}
        self.folders = set()
        for setting, value in settings.items():
            controller, _, file = setting.rpartition("/")
            folder = GROUPS / controller / name
            folder.mkdir(exist_ok=True)
            self.folders.add(folder)
            (folder / file).write_text(value)

    def take(self, process: int):
        for folder in self.folders:
            (folder / "cgroup.procs").write_text(str(process))

    def remove(self):
        for folder in self.folders:
            folder.rmdir()


class SmallTest(RelaygenCase):
    NAME = "wl-small"
    USERS = USERS

    @classmethod
    def start_far_end(cls):
        file = cls.identities / "users.json"
        users = json.loads(file.read_text())
        for user in users["users"]:
            user["limits"] = {way: {"rate": LIMIT} for way in ("up", "down")}
            for peer in user["peers"]:
                peer["persistent_keepalive"] = 25
        file.write_text(json.dumps(users))
        cls.start_relayd(f"net_af_packet0,iface=wan,{RING}", f"net_af_packet1,iface=inet,{RING}")
        cls.group = Group(cls.name)
        cls.group.take(cls.relay.process.pid)
        cls.addClassCleanup(cls.group.remove)
        cls.addClassCleanup(cls.relay.stop)

    @classmethod
    def relayd_changes(cls) -> dict:
        config = small_config()
        return {name: config[name] for name in ("workers", "sizes", "huge_pages", "events_kept")}

    def start(self, command: str, *options: str):
        generator = Generator(self.near, self.identities, f"net_af_packet0,iface=wan,{RING}", None,
                              ("--client-prefix", OUTSIDE, "--idle-sleep", "20"))
        return generator.start(command, "--users", str(USERS), *options)

    def connect(self):
        self.assertEqual(self.start("handshakes").result(60)["handshakes"][0]["done"], USERS)

    def resident(self) -> int:
        status = pathlib.Path(f"/proc/{self.relay.process.pid}/status").read_text()
        found = re.search(r"VmRSS:\s+(\d+)", status)
        self.assertTrue(found, self.relay.log.read_text()[-2000:])
        return int(found[1]) << 10

    def share_of_a_core(self) -> float:
        """To the nanosecond: ticks of the clock, which sleeps end with, would count too much."""
        def used() -> int:
            tasks = pathlib.Path(f"/proc/{self.relay.process.pid}/task").iterdir()
            return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks)
        began, before = time.monotonic_ns(), used()
        time.sleep(IDLE_SECONDS)
        return (used() - before) / (time.monotonic_ns() - began)

    def test_1_nobody_is_there(self):
        time.sleep(2)
        share = self.share_of_a_core()
        print(f"        nobody: {100 * share:.1f} % of a core, {self.resident() >> 20} MiB", flush=True)
        self.assertLess(share, IDLE_NOBODY)

    def test_2_all_are_there(self):
        for _ in range(ATTEMPTS):
            result = self.start("run", "--mode", "hub", "--rate", RATE, "--size", "1420", "--duration",
                                str(SECONDS)).result(120, accept=(0, 4))["trials"][0]
            print(f"        {USERS} users at {RATE}: {result['lost']} of {result['sent']} packets "
                  f"lost, {self.resident() >> 20} MiB", flush=True)
            if result["lost"] == 0:
                break
        self.assertEqual(result["lost"], 0)
        self.assertLess(self.resident(), RESIDENT)

    def test_3_all_are_idle(self):
        self.connect()
        time.sleep(2)
        share = self.share_of_a_core()
        print(f"        {USERS} idle clients with keepalives: {100 * share:.1f} % of a core",
              flush=True)
        self.assertLess(share, IDLE_CLIENTS)

    def test_4_users_come_and_go_and_memory_stays(self):
        sizes = []
        others = [{"name": f"other{i}"} for i in range(1000)]
        for _ in range(ROUNDS):
            self.relay.call("user.add", {"users": others}, timeout=60)
            self.relay.call("user.remove", {"names": [user["name"] for user in others]}, timeout=60)
            self.connect()
            sizes.append(self.resident())
        print("        MiB resident, round by round: "
              + " ".join(f"{size / (1 << 20):.1f}" for size in sizes), flush=True)
        self.assertLess(sizes[-1] - sizes[SETTLED], GROWTH)
        self.assertLess(sizes[-1], RESIDENT)
