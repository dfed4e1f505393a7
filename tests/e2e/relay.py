"""relayd and relayctl as they were built: how tests start and ask them."""

import json
import os
import pathlib
import signal
import socket
import subprocess

from tests.e2e.netns import CommandFailed, Namespace, run, stop, until

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
BUILD = pathlib.Path(os.environ.get("WIRELAY_BUILD", ROOT / "build"))
RELAYD = BUILD / "ctrl" / "relayd"
RELAYCTL = BUILD / "cli" / "relayctl"


class Relay:
    """One relayd in a namespace of its own. `config` may be changed before start()."""

    def __init__(self, namespace: Namespace, folder: pathlib.Path, config: dict):
        self.namespace = namespace
        self.folder = folder
        self.config = config
        self.file = folder / "relayd.json"
        self.log = folder / "relayd.log"
        self.socket = config["control_socket"]
        self.process: subprocess.Popen | None = None

    def write_config(self):
        self.file.write_text(json.dumps(self.config, indent=2) + "\n")

    def start(self, *options: str, seconds: float = 20):
        """Returns when the API answers."""
        self.write_config()
        with self.log.open("a") as log:
            self.process = self.namespace.spawn(str(RELAYD), "--config", str(self.file), *options,
                                                stdout=log, stderr=log)
        try:
            until(self.answers, seconds, "answer of relayd")
        except TimeoutError as error:
            raise RuntimeError(f"{error}\n{self.log.read_text()}") from None

    def answers(self) -> bool:
        if self.process.poll() is not None:
            raise RuntimeError(f"relayd ended with {self.process.returncode}:\n"
                               f"{self.log.read_text()}")
        return self.ctl("status", check=False).returncode == 0

    def stop(self) -> int:
        return stop(self.process) if self.process else 0

    def check(self) -> subprocess.CompletedProcess:
        """What `relayd --check` says of the configuration, while this one may run."""
        return self.namespace.run(str(RELAYD), "--check", str(self.file), check=False)

    def reload(self):
        """As an operator does: SIGHUP. Returns when the log has told of it."""
        self.write_config()
        before = self.log.read_text().count("reload")
        self.process.send_signal(signal.SIGHUP)
        until(lambda: self.log.read_text().count("reload") > before, 5, "reload in the log")

    def ctl(self, *arguments: str, check: bool = True, text_in: str | None = None,
            timeout: float = 60) -> subprocess.CompletedProcess:
        return run(str(RELAYCTL), "--socket", self.socket, *arguments, check=check,
                   text_in=text_in, timeout=timeout)

    def call(self, method: str, params: dict | None = None, timeout: float = 10):
        """One JSON-RPC call; the result, or CommandFailed with the error's message."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(timeout)
            connection.connect(self.socket)
            connection.sendall(json.dumps({"jsonrpc": "2.0", "id": 1, "method": method,
                                           "params": params or {}}).encode() + b"\n")
            with connection.makefile() as lines:
                reply = json.loads(lines.readline())
        if "error" in reply:
            raise CommandFailed(f"{method}: {json.dumps(reply['error'])}")
        return reply["result"]

    def drops(self) -> dict[str, int]:
        return {d["name"]: d["packets"] for d in self.call("drops.get")["drops"] if d["packets"]}

    def cpu_seconds(self, control: bool = False) -> float:
        """Processor time that all of relayd's threads have used, or its control thread alone."""
        pid = self.process.pid
        file = pathlib.Path(f"/proc/{pid}/task/{pid}/stat" if control else f"/proc/{pid}/stat")
        fields = file.read_text().rpartition(")")[2]
        user, system = fields.split()[11:13]
        return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")
