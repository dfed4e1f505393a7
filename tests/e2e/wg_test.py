"""Protects `wg`: Debian's wireguard-tools show and set what the relay has, as they do with a kernel's
interface."""

import base64
import os
import socket

from tests.e2e import lab as net
from tests.e2e.case import LabCase
from tests.e2e.client import new_key, public_key
from tests.e2e.measure import ping
from tests.e2e.netns import CommandFailed, run

MANY = 700


class WgTest(LabCase):
    @classmethod
    def prepare(cls):
        cls.device = f"wlw{os.getpid()}"
        cls.add_clients()
        cls.lab.start_relay(users=[*cls.users(), {"name": "others"}],
                            wg={"interface": cls.device, "user": "others"})
        cls.connect_both()

    def wg(self, *arguments: str, text_in: str | None = None) -> str:
        return run("wg", *arguments, text_in=text_in).stdout

    def dump(self) -> dict[str, list[str]]:
        """Fields of `wg show dump`, by the peer's key."""
        lines = self.wg("show", self.device, "dump").splitlines()[1:]
        return {fields[0]: fields for fields in (line.split("\t") for line in lines)}

    def peers(self) -> dict[str, dict]:
        return {peer["public_key"]: peer for peer in self.relay.call("peer.list")["peers"]}

    def file(self, *keys: str) -> str:
        """A file for setconf with these peers; the lab's own are among them."""
        own = [(client.public_key, ", ".join(client.addresses))
               for client in self.lab.clients.values()]
        others = [(key, f"10.78.0.{n}/32") for n, key in enumerate(keys, 1)]
        return f"[Interface]\nListenPort = {net.PORT}\n" + "".join(
            f"[Peer]\nPublicKey = {key}\nAllowedIPs = {ips}\n" for key, ips in own + others)

    def test_show(self):
        ping(self.a(), net.TUNNEL_V4, count=3)
        text = self.wg("show", self.device)
        self.assertIn(f"listening port: {net.PORT}", text)
        self.assertIn("transfer: ", text)
        client = self.lab.clients["a"]
        fields = self.dump()[client.public_key]
        self.assertRegex(fields[2], r"^203\.0\.113\.2:\d+$")
        self.assertEqual(sorted(fields[3].split(",")), sorted(client.addresses))
        self.assertAlmostEqual(int(fields[4]), client.last_handshake(), delta=3)
        self.assertGreater(int(fields[5]), 0)
        self.assertIn(client.public_key, self.wg("show", "all", "dump"))
        self.assertIn(self.device, self.wg("show", "interfaces").split())

    def test_keys_of_the_relay_are_not_shown(self):
        private = (self.lab.folder / "relay.key").read_text().strip()
        self.assertNotIn(private, self.wg("show", "all", "dump"))

    def test_set(self):
        key = public_key(new_key())
        psk = self.lab.folder / "psk"
        psk.touch(mode=0o600)
        psk.write_text(run("wg", "genpsk").stdout)
        self.wg("set", self.device, "peer", key, "allowed-ips", "10.78.1.1/32,fd78::1/128",
                "preshared-key", str(psk), "persistent-keepalive", "25", "endpoint", "203.0.113.9:7")
        peer = self.peers()[key]
        self.assertEqual((peer["user"], peer["allowed_ips"], peer["persistent_keepalive"]),
                         ("others", ["10.78.1.1/32", "fd78::1/128"], 25))
        self.assertEqual(self.dump()[key][1], psk.read_text().strip())
        # From one peer to another, and away.
        other = public_key(new_key())
        self.wg("set", self.device, "peer", other, "allowed-ips", "10.78.1.1/32")
        self.assertEqual(self.peers()[key]["allowed_ips"], ["fd78::1/128"])
        self.wg("set", self.device, "peer", key, "remove", "peer", other, "remove")
        self.assertFalse({key, other} & set(self.peers()))
        with self.assertRaisesRegex(CommandFailed, "Invalid argument"):
            self.wg("set", self.device, "listen-port", "1")

    def test_files(self):
        keys = [public_key(new_key()) for _ in range(3)]
        own = {client.public_key for client in self.lab.clients.values()}
        before = self.dump()
        self.wg("addconf", self.device, "/dev/stdin", text_in=self.file(keys[0]))
        self.assertEqual(set(self.peers()), own | {keys[0]})
        self.wg("syncconf", self.device, "/dev/stdin", text_in=self.file(keys[1]))
        self.assertEqual(set(self.peers()), own | {keys[1]})
        self.wg("setconf", self.device, "/dev/stdin", text_in=self.file(keys[2]))
        self.assertEqual(set(self.peers()), own | {keys[2]})
        shown = self.wg("showconf", self.device)
        self.assertIn(keys[2], shown)
        self.wg("setconf", self.device, "/dev/stdin", text_in=shown)
        self.assertEqual(set(self.peers()), own | {keys[2]})
        self.wg("set", self.device, "peer", keys[2], "remove")
        # Who is in all of them has noticed nothing.
        self.assert_reaches(self.a(), net.TUNNEL_V4)
        for key in own:
            self.assertEqual(self.dump()[key][4], before[key][4])

    def test_many_peers_come_in_pages(self):
        users = [{"name": f"many{i}", "peers": [
            {"name": f"many{i}", "public_key": public_key_of(i), "allowed_ips": []}]}
            for i in range(MANY)]
        self.relay.call("user.add", {"users": users}, timeout=60)
        try:
            self.assertLessEqual({public_key_of(i) for i in range(MANY)}, set(self.dump()))
        finally:
            self.relay.call("user.remove", {"names": [user["name"] for user in users]}, timeout=60)

    def test_who_does_not_read_holds_nobody_up(self):
        silent = []
        for _ in range(30):
            connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            silent.append(connection)
            connection.connect(f"/var/run/wireguard/{self.device}.sock")
            connection.send(b"get=1\n\n")
        self.assertGreaterEqual(len(self.dump()), 2)
        for connection in silent:
            connection.close()
        self.assertGreaterEqual(len(self.dump()), 2)


def public_key_of(n: int) -> str:
    return base64.b64encode(n.to_bytes(4, "little") + b"\x5a" * 28).decode()
