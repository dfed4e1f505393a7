"""ping and iperf3, and what they saw."""

import json
import os
import re
import signal
import subprocess
import tempfile
import time
from dataclasses import dataclass

from tests.e2e.netns import Namespace, stop, until

# Packets without room for a time stamp tell no round trip.
REPLY = re.compile(r"^\[(\d+\.\d+)\] \d+ bytes.*icmp_seq=(\d+) ttl=\d+(?: time=([\d.]+))?",
                   re.MULTILINE)

TRANSMITTED = re.compile(r"^(\d+) packets transmitted", re.MULTILINE)


@dataclass
class Replies:
    sent: int
    times: dict[int, float]  # sequence number: Unix time at which the answered request was sent

    @property
    def received(self) -> int:
        return len(self.times)

    @property
    def lost(self) -> int:
        return self.sent - self.received

    def to_requests_after(self, moment: float) -> int:
        return sum(1 for t in self.times.values() if t > moment)


def parse_replies(output: str, sent: int) -> Replies:
    return Replies(sent, {int(seq): float(came) - float(took or 0) / 1000
                          for came, seq, took in REPLY.findall(output)})


def ping(namespace: Namespace, target: str, count: int = 5, interval: float = 0.02,
         size: int = 56, extra: tuple[str, ...] = ()) -> Replies:
    """`count` echo requests; waits a second for each reply that has not come."""
    done = namespace.run("ping", "-n", "-D", "-c", str(count), "-i", str(interval), "-W", "1",
                         "-s", str(size), *extra, target, check=False, timeout=60 + count)
    return parse_replies(done.stdout, count)


class Pinging:
    """Echo requests all the time, from the first reply (for which it waits) until stop()."""

    def __init__(self, namespace: Namespace, target: str, interval: float = 0.02):
        # A file, since nobody reads a pipe meanwhile: ping would stop when it is full.
        self.output = tempfile.TemporaryFile("w+")
        self.process = namespace.spawn("ping", "-n", "-D", "-O", "-i", str(interval), target,
                                       stdout=self.output, stderr=subprocess.STDOUT)
        until(lambda: REPLY.search(self.read()), 20, f"reply of {target}")

    def read(self) -> str:
        # Not seek(): ping writes at the same place in the file.
        return os.pread(self.output.fileno(), 1 << 26, 0).decode()

    def stop(self) -> Replies:
        """Requests that are under way at the end do not count as lost: on a busy machine they are
        several. That the way is open at the end is seen first, by a reply to one sent after now."""
        now, open_at_the_end = time.time(), True
        try:
            until(lambda: parse_replies(self.read(), 0).to_requests_after(now), 5, "a last reply")
        except TimeoutError:
            open_at_the_end = False
        stop(self.process, signal.SIGINT)
        output = self.read()
        self.output.close()
        replies = parse_replies(output, int(TRANSMITTED.search(output).group(1)))
        if open_at_the_end:
            replies.sent = max(replies.times)
        return replies


class Iperf:
    """A server in one namespace; clients ask it from others."""

    def __init__(self, namespace: Namespace, port: int = 5201):
        self.port = port
        self.server = namespace.spawn("iperf3", "-s", "-J", "-p", str(port),
                                      stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        until(lambda: f":{port}" in namespace.run("ss", "-ltnH").stdout, 5, "iperf3 server")

    def start(self, namespace: Namespace, target: str, seconds: int, *options: str):
        return IperfRun(namespace.spawn("iperf3", "-c", target, "-p", str(self.port), "-t",
                                        str(seconds), "-J", "--get-server-output", *options,
                                        stdout=subprocess.PIPE, text=True), seconds)

    def run(self, namespace: Namespace, target: str, seconds: int, *options: str) -> "IperfResult":
        """The server does not listen for a moment behind each test: who comes then comes again."""
        for _ in range(20):
            try:
                return self.start(namespace, target, seconds, *options).result()
            except ConnectionRefusedError:
                time.sleep(0.25)
        raise TimeoutError("iperf3: the server refuses all connections")


class IperfRun:
    def __init__(self, process: subprocess.Popen, seconds: int):
        self.process = process
        self.seconds = seconds
        self.began = time.monotonic()

    def wait_until(self, second: float):
        time.sleep(max(0.0, self.began + second - time.monotonic()))

    def result(self) -> "IperfResult":
        output, _ = self.process.communicate(timeout=self.seconds + 30)
        return IperfResult(json.loads(output))


class IperfResult:
    """Figures of TCP payload, in Mbit/s."""

    def __init__(self, report: dict):
        if "Connection refused" in report.get("error", ""):
            raise ConnectionRefusedError(report["error"])
        if "error" in report:
            raise RuntimeError(f"iperf3: {report['error']}")
        self.report = report

    def goodput(self) -> float:
        return self.report["end"]["sum_received"]["bits_per_second"] / 1e6

    def each_second(self) -> list[float]:
        """As the receiver saw them."""
        reverse = self.report["start"]["test_start"]["reverse"]
        receiver = self.report if reverse else self.report["server_output_json"]
        return [i["sum"]["bits_per_second"] / 1e6 for i in receiver["intervals"]
                if i["sum"]["seconds"] > 0.9]


def inner_rate(goodput: float, mtu: int = 1420, v6: bool = False) -> float:
    """The rate of inner IP packets that carry this TCP payload, in full packets with timestamps:
    what a user's limit counts."""
    return goodput * mtu / (mtu - (40 if v6 else 20) - 32)
