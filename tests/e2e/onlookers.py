"""Those who ask little of a relay while others ask much: how long they wait."""

import json
import pathlib
import signal
import statistics
import subprocess
import sys
import threading
import time

PROBES_EVERY = 0.005  # seconds
CALLS_EVERY = 0.02
HERE = pathlib.Path(__file__).parent


class Probing:
    """ARP probes for the relay's inner address, from the plain side."""

    def __init__(self, namespace):
        self.process = namespace.spawn(
            sys.executable, str(HERE / "arp_probe.py"), "inet", "192.0.2.1", "192.0.2.2",
            str(PROBES_EVERY), stdout=subprocess.PIPE, text=True)

    def stop(self) -> dict:
        self.process.send_signal(signal.SIGINT)
        output, _ = self.process.communicate(timeout=10)
        return json.loads(output)


class Calling(threading.Thread):
    """A client that asks for little, all the time: `ask` makes one call, and fails when what it sees
    is wrong."""

    def __init__(self, ask):
        super().__init__()
        self.ask = ask
        self.took: list[float] = []
        self.error: Exception | None = None
        self.ended = threading.Event()
        self.start()

    def run(self):
        try:
            while not self.ended.wait(CALLS_EVERY):
                began = time.monotonic()
                self.ask()
                self.took.append(time.monotonic() - began)
        except Exception as error:  # told by stop(), to the thread that waits for it
            self.error = error

    def stop(self) -> list[float]:
        self.ended.set()
        self.join()
        if self.error:
            raise self.error
        return self.took


def in_ms(times: list[float]) -> str:
    return (f"{1000 * statistics.median(times):.1f} ms, at most {1000 * max(times):.1f} ms"
            if times else "none")


def share_below(bound: float, times: list[float], asked: int) -> float:
    """Of all that were asked, answered or not."""
    return sum(took < bound for took in times) / max(asked, 1)
