"""Network namespaces, the links between them, and processes inside."""

import concurrent.futures
import contextlib
import ctypes
import fcntl
import os
import pathlib
import signal
import socket
import subprocess
import time

CLONE_NEWNET = 0x40000000  # sched.h
LIBC = ctypes.CDLL(None, use_errno=True)


class CommandFailed(RuntimeError):
    """A command that should have worked did not; says what it said."""


def run(*command: str, check: bool = True, text_in: str | None = None,
        timeout: float = 60) -> subprocess.CompletedProcess:
    done = subprocess.run(command, capture_output=True, text=True, input=text_in, timeout=timeout)
    if check and done.returncode != 0:
        raise CommandFailed(f"{' '.join(command)}: exit {done.returncode}\n"
                            f"{done.stdout}{done.stderr}")
    return done


def until(condition, seconds: float, what: str):
    """Waits for a true value and returns it; raises TimeoutError that names `what`."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        if time.monotonic() > deadline:
            raise TimeoutError(f"after {seconds} s still no {what}")
        time.sleep(0.02)
    return value


def stop(process: subprocess.Popen, how: int = signal.SIGTERM, seconds: float = 10) -> int:
    """Ends a process and returns its exit code; kills it when it does not listen."""
    if process.poll() is None:
        process.send_signal(how)
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    return process.returncode


class Namespace:
    def __init__(self, name: str):
        self.name = name
        run("ip", "netns", "add", name)
        # No duplicate address detection: addresses work at once.
        for setting in ("ipv6.conf.default.accept_dad=0", "ipv6.conf.all.accept_dad=0",
                        "ipv6.conf.default.accept_ra=0"):
            self.sysctl(setting)
        # An address that goes does not take others of its network with it.
        self.sysctl("ipv4.conf.all.promote_secondaries=1")
        self.ip("link", "set", "lo", "up")

    def sysctl(self, setting: str):
        key, value = setting.split("=")
        self.run("sh", "-c", f"echo {value} > /proc/sys/net/{key.replace('.', '/')}")

    def ip(self, *arguments: str):
        return run("ip", "-n", self.name, *arguments)

    def run(self, *command: str, **options) -> subprocess.CompletedProcess:
        return run("ip", "netns", "exec", self.name, *command, **options)

    def spawn(self, *command: str, **options) -> subprocess.Popen:
        """`ip netns exec` becomes the command: the process is the command's own."""
        # A session of its own: a key press in the terminal is for us, who then end it in order.
        return subprocess.Popen(["ip", "netns", "exec", self.name, *command],
                                stdin=subprocess.DEVNULL, start_new_session=True, **options)

    def socket(self, *arguments: int) -> socket.socket:
        """A socket of this process in the namespace; arguments as for socket.socket()."""
        def enter_and_open():
            with open(f"/run/netns/{self.name}", "rb") as namespace:
                if LIBC.setns(namespace.fileno(), CLONE_NEWNET) != 0:
                    raise OSError(ctypes.get_errno(), f"entering {self.name}")
            return socket.socket(*arguments)

        # A thread of its own, which ends with it: the namespace is the thread's.
        with concurrent.futures.ThreadPoolExecutor(1) as thread:
            return thread.submit(enter_and_open).result()

    def address(self, device: str, *addresses: str):
        for address in addresses:
            self.ip("address", "add", address, "dev", device)

    def route(self, *arguments: str):
        family = "-6" if any(":" in a for a in arguments) else "-4"
        self.ip(family, "route", "replace", *arguments)


def link(a: Namespace, a_device: str, b: Namespace, b_device: str):
    """A veth pair, up at both ends. Offloads are off: a DPDK port sees the frames as they are, and
    must not see packets without checksums or larger than the MTU."""
    a.ip("link", "add", a_device, "type", "veth", "peer", "name", b_device, "netns", b.name)
    for namespace, device in ((a, a_device), (b, b_device)):
        namespace.ip("link", "set", device, "up")
        namespace.run("ethtool", "-K", device, "tx", "off", "tso", "off", "gso", "off",
                      "gro", "off")


def is_running(pid: int) -> bool:
    """Whether the process exists and has not ended (a zombie has)."""
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@contextlib.contextmanager
def alone_on_this_machine():
    """One process at a time: others that come here wait. For whoever takes away what a killed run
    has left: runs side by side see the same remains."""
    with open("/run/wirelay-tests.lock", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def remove_namespaces(prefix: str):
    """Ends the processes in all namespaces whose name begins with `prefix`, and the namespaces."""
    names = [line.split()[0] for line in run("ip", "netns", "list").stdout.splitlines()]
    ours = [n for n in names if n.startswith(prefix)]
    pids = {int(p) for n in ours for p in run("ip", "netns", "pids", n).stdout.split()}
    for how, seconds in ((signal.SIGTERM, 5), (signal.SIGKILL, 2)):
        for pid in filter(is_running, pids - {os.getpid()}):
            os.kill(pid, how)
        try:
            until(lambda: not any(map(is_running, pids)), seconds, "end of the lab's processes")
            break
        except TimeoutError:
            continue
    for name in ours:
        run("ip", "netns", "delete", name)
