"""relaygen as it was built, and the far ends that it is put before: relayd over memif, and
wireguard-go with the kernel's routing."""

import json
import os
import pathlib
import subprocess
from dataclasses import dataclass, field

from tests.e2e.netns import Namespace, stop, until
from tests.e2e.relay import BUILD

RELAYGEN = BUILD / "tools" / "relaygen" / "relaygen"
ENDPOINT = "198.51.100.1:51820"
INSIDE = ("10.64.0.0/10", "fd77::/64")  # the clients' tunnel addresses
OUTSIDE = "198.18.0.0/15"               # their outer ones, where thousands want one each


class GeneratorFailed(RuntimeError):
    """relaygen ended with another exit code than 0; says what it said."""

    def __init__(self, code: int, text: str):
        super().__init__(text.strip().rpartition("\n")[2] or f"relaygen ended with {code}")
        self.code = code


def make_identities(folder: pathlib.Path, count: int, *options: str):
    """remote.key, remote.pub, peers.txt, wg.conf and users.json in the folder."""
    subprocess.run([RELAYGEN, "peers", "--count", str(count), "--out", folder,
                    "--prefix", ",".join(INSIDE), *options], check=True, capture_output=True)


@dataclass
class Generator:
    """relaygen with all that does not change from one command to the next."""

    namespace: Namespace
    identities: pathlib.Path
    tunnel_device: str
    plain_device: str | None  # None: the plain side is left to others
    options: tuple[str, ...] = ()
    endpoint: str = ENDPOINT
    peers: pathlib.Path | None = None  # another peers file than the identities'

    def command(self, name: str, *options: str) -> list[str]:
        plain = () if self.plain_device is None else (
            "--plain-port", self.plain_device, "--plain-ip", "192.0.2.1/24,2001:db8:2::1/64",
            "--plain-gateway", "192.0.2.2,2001:db8:2::2")
        return [str(RELAYGEN), name, "--peers", str(self.peers or self.identities / "peers.txt"),
                "--remote-key", str(self.identities / "remote.pub"), "--endpoint", self.endpoint,
                "--tunnel-port", self.tunnel_device,
                "--tunnel-ip", "198.51.100.254/24,2001:db8:1::fe/64",
                *plain, *self.options, *options]

    def start(self, name: str, *options: str) -> "Generating":
        report = self.identities.parent / f"{name}-{os.getpid()}.json"
        report.unlink(missing_ok=True)
        process = self.namespace.spawn(*self.command(name, "--json", str(report), *options),
                                       stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        return Generating(process, report)

    def run(self, name: str, *options: str, seconds: float = 120, accept=(0,)) -> dict:
        """The command's JSON. Raises GeneratorFailed for exit codes that are not accepted."""
        return self.start(name, *options).result(seconds, accept)


@dataclass
class Generating:
    """A relaygen at work; stop() or result() ends it."""

    process: subprocess.Popen
    report: pathlib.Path
    text: str = field(default="", init=False)

    def result(self, seconds: float = 120, accept=(0,)) -> dict:
        try:
            self.text, _ = self.process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            raise GeneratorFailed(-1, f"relaygen did not end within {seconds} s") from None
        finally:
            stop(self.process)
        if self.process.returncode not in accept or not self.report.exists():
            raise GeneratorFailed(self.process.returncode, self.text)
        return json.loads(self.report.read_text())


def memif(number: int, role: str, socket: pathlib.Path, log_slots: int = 12) -> str:
    """A DPDK device: rings of 2^log_slots packets each way between two processes."""
    return f"net_memif{number},role={role},socket={socket},socket-abstract=no,rsize={log_slots}"


def relayd_config(folder: pathlib.Path, identities: pathlib.Path, devices: tuple[str, str],
                  users_file: pathlib.Path | None, **changes) -> dict:
    """relayd between relaygen's two ports. `devices`: towards the clients, towards the plain side.
    `changes` replace whole sections."""
    wan, inet = devices
    config = {
        "identity": {"private_key_file": str(identities / "remote.key")},
        "listen": {"udp_port": 51820},
        "ports": [
            {"name": "wan", "device": wan,
             "addresses": ["198.51.100.1/24", "2001:db8:1::1/64"],
             "gateways": ["198.51.100.254", "2001:db8:1::fe"]},
            {"name": "inet", "device": inet,
             "addresses": ["192.0.2.2/24", "2001:db8:2::2/64"],
             "gateways": ["192.0.2.1", "2001:db8:2::1"], "egress": True}],
        "workers": {"cores": [1 % (os.cpu_count() or 1)], "control_core": 0,
                    "polling": "adaptive"},
        "control_socket": str(folder / "relayd.sock"),
        "store": "none",
        "http": {"listen": "none"},
    }
    if users_file:
        config["users_file"] = str(users_file)
    return config | changes


class WireguardGo:
    """wireguard-go in a namespace with links `wan` and `inet`, whose kernel routes between its
    tunnel and the plain side. `device`: unique on the machine."""

    def __init__(self, namespace: Namespace, device: str):
        self.namespace = namespace
        self.device = device
        self.process: subprocess.Popen | None = None

    def start(self, settings: pathlib.Path):
        """`settings`: as for `wg setconf`."""
        far = self.namespace
        far.address("wan", "198.51.100.1/24", "2001:db8:1::1/64")
        far.address("inet", "192.0.2.2/24", "2001:db8:2::2/64")
        for setting in ("ipv4.ip_forward=1", "ipv6.conf.all.forwarding=1",
                        "ipv4.conf.all.send_redirects=0", "ipv4.conf.default.send_redirects=0"):
            far.sysctl(setting)
        far.route(OUTSIDE, "via", "198.51.100.254")
        self.process = far.spawn("wireguard-go", "-f", self.device, stdout=subprocess.DEVNULL,
                                 stderr=subprocess.DEVNULL)
        until(lambda: far.run("wg", "show", self.device, "public-key", check=False).returncode == 0,
              10, "wireguard-go")
        far.run("wg", "setconf", self.device, str(settings), timeout=300)
        far.ip("link", "set", self.device, "mtu", "1420", "up")
        for prefix in INSIDE:
            far.route(prefix, "dev", self.device)

    def stop(self):
        if self.process:
            stop(self.process)
            self.process = None
