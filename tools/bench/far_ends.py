"""What relaygen is put before: relayd over memif, wireguard-go over veth and af_packet.

Both have the machine's first two cores, and share them with relaygen in the same way: relaygen
runs on the first. relayd's one worker has the second for itself, its control thread is on the
first. wireguard-go and the kernel run wherever the scheduler puts them on the two.
"""

import json
import os
import pathlib
import re

from tests.e2e.generator import OUTSIDE, Generator, WireguardGo, memif, relayd_config
from tests.e2e.netns import Namespace, link, remove_namespaces
from tests.e2e.relay import Relay

# The outer addresses of many clients differ: flood protection counts handshakes by address.
CLIENTS = ("--client-prefix", OUTSIDE, "--window", "64", "--core", "0")
MEMIF_SLOTS = 12  # 4,096 packets each way
RING = "blocksz=4096,framesz=2048,framecnt=8192"  # of af_packet


def first_users(identities: pathlib.Path, users: int) -> pathlib.Path:
    """relayd's users file with the first ones only."""
    path = identities / f"users-{users}.json"
    if not path.exists():
        everything = json.loads((identities / "users.json").read_text())["users"]
        path.write_text(json.dumps({"users": everything[:users]}))
    return path


def first_peers(identities: pathlib.Path, users: int) -> pathlib.Path:
    """wireguard-go's settings with the first peers only."""
    path = identities / f"wg-{users}.conf"
    if not path.exists():
        parts = (identities / "wg.conf").read_text().split("[Peer]")
        path.touch(mode=0o600)
        path.write_text("[Peer]".join(parts[:users + 1]))
    return path


def memory_of(pid: int) -> int:
    """Bytes that a process has taken, huge pages included."""
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    return 1024 * sum(int(kib) for kib in
                      re.findall(r"^(?:VmRSS|HugetlbPages):\s+(\d+)", status, re.MULTILINE))


class FarEnd:
    """start() brings it up with so many users; `generator` is relaygen before it."""

    name = ""
    bytes_a_user = 0  # rough, to tell beforehand whether the machine's memory suffices
    generator: Generator

    def start(self, users: int):
        raise NotImplementedError

    def stop(self):
        raise NotImplementedError

    def memory(self) -> int:
        raise NotImplementedError


class Relayd(FarEnd):
    name = "relayd"
    bytes_a_user = 8_192

    def __init__(self, name: str, folder: pathlib.Path, identities: pathlib.Path):
        self.folder = folder
        self.identities = identities
        self.namespace = Namespace(f"{name}-memif")
        self.sockets = folder / "wan.sock", folder / "inet.sock"
        self.relay: Relay | None = None
        devices = [memif(i, "client", s, MEMIF_SLOTS) for i, s in enumerate(self.sockets)]
        self.generator = Generator(self.namespace, identities, *devices, CLIENTS)

    def start(self, users: int, room: int = 0):
        """`room`: for how many more users."""
        for socket in self.sockets:
            socket.unlink(missing_ok=True)
        devices = tuple(memif(i, "server", s, MEMIF_SLOTS) for i, s in enumerate(self.sockets))
        self.relay = Relay(self.namespace, self.folder, relayd_config(
            self.folder, self.identities, devices, first_users(self.identities, users),
            workers={"cores": [1 % os.cpu_count()], "control_core": 0,
                     "polling": "busy" if os.cpu_count() > 1 else "adaptive"},
            sizes={"users": max(1024, users + room)}, log_level="warning"))
        self.relay.start()

    def stop(self):
        if self.relay:
            self.relay.stop()
            self.relay = None

    def memory(self) -> int:
        return memory_of(self.relay.process.pid)


class WireguardGoEnd(FarEnd):
    name = "wireguard-go"
    bytes_a_user = 100_000

    def __init__(self, name: str, folder: pathlib.Path, identities: pathlib.Path):
        self.name_on_machine = name
        self.identities = identities
        self.wireguard_go: WireguardGo | None = None
        self.generator: Generator | None = None

    def start(self, users: int):
        near = Namespace(f"{self.name_on_machine}-near")
        far = Namespace(f"{self.name_on_machine}-far")
        near.sysctl("ipv6.conf.all.disable_ipv6=1")
        near.sysctl("ipv6.conf.default.disable_ipv6=1")
        for device in ("wan", "inet"):
            link(near, device, far, device)
        devices = [f"net_af_packet{i},iface={d},{RING}" for i, d in enumerate(("wan", "inet"))]
        # relaygen sleeps when it has nothing to do, and leaves the core to wireguard-go.
        self.generator = Generator(near, self.identities, *devices,
                                   (*CLIENTS, "--idle-sleep", "20"))
        self.wireguard_go = WireguardGo(far, self.name_on_machine[-15:])
        self.wireguard_go.start(first_peers(self.identities, users))

    def stop(self):
        if self.wireguard_go:
            self.wireguard_go.stop()
            self.wireguard_go = None
        for side in ("near", "far"):
            remove_namespaces(f"{self.name_on_machine}-{side}")

    def memory(self) -> int:
        return memory_of(self.wireguard_go.process.pid)
