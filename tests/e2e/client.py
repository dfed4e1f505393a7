"""A real WireGuard client: wireguard-go in a namespace, configured with `wg`."""

import pathlib
import subprocess

from tests.e2e.netns import Namespace, run, stop, until

MTU = 1420  # WireGuard's: 1500 less the outer IPv6, UDP and transport headers


def new_key() -> str:
    return run("wg", "genkey").stdout.strip()


def public_key(private_key: str) -> str:
    return run("wg", "pubkey", text_in=private_key + "\n").stdout.strip()


class Client:
    """`device`: unique on the machine, since wireguard-go's control sockets share one folder."""

    def __init__(self, namespace: Namespace, device: str, addresses: list[str],
                 preshared_key: str | None = None):
        self.namespace = namespace
        self.device = device
        self.addresses = addresses
        self.private_key = new_key()
        self.public_key = public_key(self.private_key)
        self.preshared_key = preshared_key
        self.process: subprocess.Popen | None = None

    def up(self, settings: str, routes: list[str]):
        """Starts wireguard-go with `settings` (as for `wg setconf`) and routes into the tunnel."""
        self.process = self.namespace.spawn("wireguard-go", "-f", self.device,
                                            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        until(lambda: self.namespace.run("wg", "show", self.device, check=False).returncode == 0,
              10, f"wireguard-go on {self.device}")
        self.configure(settings)
        self.namespace.ip("link", "set", self.device, "mtu", str(MTU))
        self.namespace.address(self.device, *self.addresses)
        self.namespace.ip("link", "set", self.device, "up")
        for route in routes:
            self.namespace.route(route, "dev", self.device)

    def configure(self, settings: str):
        self.namespace.run("wg", "setconf", self.device, "/dev/stdin", text_in=settings)

    def settings(self, relay_key: str, endpoint: str | None, *, keepalive: int = 0,
                 listen_port: int | None = None) -> str:
        """A client file for this client, for `wg setconf`. Everything goes into the tunnel."""
        lines = ["[Interface]", f"PrivateKey = {self.private_key}"]
        if listen_port:
            lines.append(f"ListenPort = {listen_port}")
        lines += ["[Peer]", f"PublicKey = {relay_key}", "AllowedIPs = 0.0.0.0/0, ::/0"]
        if self.preshared_key:
            lines.append(f"PresharedKey = {self.preshared_key}")
        if endpoint:
            lines.append(f"Endpoint = {endpoint}")
        if keepalive:
            lines.append(f"PersistentKeepalive = {keepalive}")
        return "\n".join(lines) + "\n"

    def settings_in(self, file: pathlib.Path, client_file: str) -> str:
        """What `wg setconf` takes of a client file for wg-quick. The file is left there."""
        file.touch(mode=0o600)
        file.write_text(client_file)
        return run("wg-quick", "strip", str(file)).stdout

    def show(self, what: str) -> str:
        """A field of the client's only peer, as `wg show DEVICE WHAT` prints it."""
        line = self.namespace.run("wg", "show", self.device, what).stdout.strip()
        return line.partition("\t")[2]

    def last_handshake(self) -> int:
        """Unix seconds; 0: never."""
        return int(self.show("latest-handshakes") or 0)

    def received(self) -> int:
        """Bytes that came in through the tunnel, WireGuard's own headers included."""
        return int(self.show("transfer").split()[0])

    def wait_for_handshake(self, seconds: float = 10):
        until(self.last_handshake, seconds, f"handshake of {self.device}")

    def down(self):
        if self.process:
            stop(self.process)
            self.process = None
