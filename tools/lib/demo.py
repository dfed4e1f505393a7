"""The demo: the relay's main job on real traffic, as a table of what was expected and seen.

Run by tools/demo.sh, which installs and builds before. The pieces (namespaces, clients,
measurements) are those of the end-to-end tests.
"""

import argparse
import fcntl
import json
import os
import pathlib
import signal
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT))

from tests.e2e import lab as net  # noqa: E402
from tests.e2e.huge_pages import HugePages  # noqa: E402
from tests.e2e.measure import Iperf, Pinging, inner_rate, ping  # noqa: E402
from tests.e2e.relay import RELAYCTL  # noqa: E402

NAME = "wl-demo"
USERS = {"a": "alice", "b": "bob"}
LIMIT = 20.0      # Mbit/s
TOLERANCE = 0.10  # of the limit
ENOUGH = 50.0     # Mbit/s that an unlimited client must reach here, for the limit to mean something


class Table:
    """What was expected and what was seen; each line is shown as it comes."""

    def __init__(self, as_json: bool):
        self.as_json = as_json
        self.rows: list[dict] = []
        if not as_json:
            print(f"{'':4} {'what':38} {'expected':30} seen")

    def add(self, what: str, expected: str, seen: str, ok: bool):
        self.rows.append({"what": what, "expected": expected, "seen": seen, "ok": ok})
        if not self.as_json:
            print(f"{'ok' if ok else 'FAIL':4} {what:38} {expected:30} {seen}", flush=True)

    def finish(self) -> bool:
        failed = sum(not row["ok"] for row in self.rows)
        if self.as_json:
            print(json.dumps({"rows": self.rows, "failed": failed}, indent=2))
        else:
            print(f"\n{len(self.rows) - failed} lines as expected, {failed} not")
        return failed == 0


def show_start(table: Table, lab: net.Lab):
    relay = lab.start_relay()
    status = relay.call("status.get")
    table.add("relayd runs on two DPDK ports", "API answers",
              f"engine {status['engine']['name']}, huge pages "
              f"{'yes' if status['huge_pages'] else 'no'}", True)
    for site, user in USERS.items():
        client = lab.client(site)
        relay.ctl("user", "add", user)
        relay.ctl("peer", "add", f"{user}-laptop", "--user", user, "--generate-psk",
                  "--public-key", client.public_key, "--allowed-ips", ",".join(client.addresses))
    users = [u["name"] for u in relay.call("user.list")["users"]]
    table.add("relayctl adds two users", "alice, bob", ", ".join(users),
              users == ["alice", "bob"])


def show_handshakes(table: Table, lab: net.Lab):
    for site, endpoint, family in (("a", net.ENDPOINT_V4, "IPv4"), ("b", net.ENDPOINT_V6, "IPv6")):
        client = lab.clients[site]
        client_file = lab.relay.ctl("peer", "config", f"{USERS[site]}-laptop",
                                    "--private-key-file", "-", "--endpoint", endpoint,
                                    text_in=client.private_key).stdout
        began = time.monotonic()
        lab.up(site, client.settings_in(lab.folder / f"{site}.conf", client_file))
        ping(lab.sites[site], net.TUNNEL_V4, count=1)
        try:
            client.wait_for_handshake()
            seen = f"after {1000 * (time.monotonic() - began):.0f} ms"
        except TimeoutError:
            seen = "none"
        table.add(f"handshake of {site.upper()} over {family}", "within 10 s", seen, seen != "none")


def show_pings(table: Table, lab: net.Lab):
    b_v4, b_v6 = (a.split("/")[0] for a in lab.clients["b"].addresses)
    for what, target in (("A to the internet, IPv4", net.FAR_V4),
                         ("A to the internet, IPv6", net.FAR_V6),
                         ("A to B through the relay, IPv4", b_v4),
                         ("A to B through the relay, IPv6", b_v6),
                         ("A to the relay itself", net.TUNNEL_V4)):
        replies = ping(lab.sites["a"], target, count=20)
        table.add(f"ping {what}", "20 replies", f"{replies.received} replies", replies.lost == 0)


def show_throughput(table: Table, lab: net.Lab, iperf: Iperf):
    for what, target, options in (("A to the internet, IPv4", net.FAR_V4, ()),
                                  ("internet to A, IPv4", net.FAR_V4, ("-R",)),
                                  ("A to the internet, IPv6", net.FAR_V6, ()),
                                  ("internet to A, IPv6", net.FAR_V6, ("-R",))):
        goodput = iperf.run(lab.sites["a"], target, 3, *options).goodput()
        table.add(f"iperf3 {what}", f"at least {ENOUGH:.0f} Mbit/s", f"{goodput:.0f} Mbit/s",
                  goodput >= ENOUGH)


def show_limit(table: Table, lab: net.Lab, iperf: Iperf):
    """Unlimited for two seconds, then limited; the two seconds after the change may hold the
    burst and TCP finding its new rate, the five behind them are judged. Four connections, as a
    user has: one alone does not use all of a rate that is enforced by drops."""
    for what, way, options in (("A to the internet", "--rate-up", ()),
                               ("internet to A", "--rate-down", ("-R",))):
        run = iperf.start(lab.sites["a"], net.FAR_V4, 9, "-P", "4", *options)
        run.wait_until(2)
        lab.relay.ctl("user", "set", "alice", way, f"{LIMIT:.0f}M")
        rates = [inner_rate(r) for r in run.result().each_second()]
        before, after = max(rates[:2]), sum(rates[4:9]) / len(rates[4:9])
        table.add(f"limit {what} to {LIMIT:.0f} Mbit/s",
                  f"{LIMIT * (1 - TOLERANCE):.0f} to {LIMIT * (1 + TOLERANCE):.0f} Mbit/s of IP",
                  f"{before:.0f}, then {after:.1f} Mbit/s",
                  before >= ENOUGH and abs(after - LIMIT) <= LIMIT * TOLERANCE)


def show_removal(table: Table, lab: net.Lab):
    a, b = (Pinging(lab.sites[site], net.FAR_V4) for site in "ab")
    time.sleep(1)
    lab.relay.ctl("user", "remove", "alice")
    removed = time.time()
    time.sleep(1)
    a, b = a.stop(), b.stop()
    late = a.to_requests_after(removed)
    before = a.received - late
    table.add("user alice removed: A stops at once", "no reply from then on",
              f"{before} replies before, {late} from then on", late == 0 < before)
    table.add("and B goes on", "no packet lost", f"{b.received} of {b.sent} answered",
              b.lost == 0 < b.received)


def show_nat(table: Table, lab: net.Lab):
    """The relay again, before an internet that knows no way to the tunnel's network."""
    lab.relay.stop()
    lab.internet.ip("route", "del", "10.77.0.0/16")
    lab.start_relay(nat44={}, users=[{"name": user, "peers": [lab.peer(site)]}
                                     for site, user in USERS.items()])
    for site in USERS:
        client = lab.clients[site]
        client.configure(client.settings(lab.relay_key, net.ENDPOINT_V4))
        ping(lab.sites[site], net.TUNNEL_V4, count=1)
        client.wait_for_handshake()
    replies = ping(lab.sites["a"], net.FAR_V4, count=20)
    table.add("NAT: ping A to the internet, IPv4", "20 replies", f"{replies.received} replies",
              replies.lost == 0)
    replies = ping(lab.sites["a"], lab.clients["b"].addresses[0].split("/")[0], count=5)
    table.add("isolation: ping A to B", "no reply", f"{replies.received} replies",
              replies.received == 0)
    users = [block["user"] for block in lab.relay.call("nat.blocks")["blocks"]]
    table.add("relayctl nat: who has public ports", "alice", ", ".join(users), users == ["alice"])


def run_demo(lab: net.Lab, table: Table):
    show_start(table, lab)
    show_handshakes(table, lab)
    show_pings(table, lab)
    iperf = Iperf(lab.internet)
    show_throughput(table, lab, iperf)
    show_limit(table, lab, iperf)
    show_removal(table, lab)
    show_nat(table, lab)


def what_next(lab: net.Lab) -> str:
    ctl = f"{os.path.relpath(RELAYCTL, ROOT)} --socket {lab.relay.socket}"
    return f"""
It is all still up. Try, as root, in {ROOT}:
  {ctl} status
  {ctl} stats
  {ctl} drops
  {ctl} nat
  {ctl} user show bob
  {ctl} user set bob --rate-down 5M
  ip netns exec {NAME}-b ping {net.FAR_V4}
  ip netns exec {NAME}-b iperf3 -c {net.FAR_V4} -R
  ip netns exec {NAME}-b wg show {NAME}-b
  tail -f {lab.relay.log}
Take it down: tools/demo.sh --down"""


def interrupted(number, _frame):
    for further in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(further, signal.SIG_IGN)
    raise SystemExit(128 + number)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--keep", action="store_true")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--down", action="store_true")
    options = parser.parse_args()

    lock_file = pathlib.Path(f"/run/{NAME}.lock")
    lock = lock_file.open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        print("Another demo is running.", file=sys.stderr)
        return 1
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, interrupted)

    huge_pages = HugePages(pathlib.Path(f"/run/{NAME}.huge-pages"))
    lab = None
    good = kept = False
    try:
        net.remove(NAME)  # what --keep left, or a demo that was killed
        huge_pages.give_back()
        if options.down:
            return 0
        huge_pages.reserve(64)
        lab = net.Lab(NAME)
        table = Table(options.json)
        run_demo(lab, table)
        good = table.finish()
        kept = options.keep
        if kept:
            print(what_next(lab), file=sys.stderr if options.json else sys.stdout)
    except (RuntimeError, OSError) as error:  # a part that does not start or answer
        print(f"The demo broke off: {error}", file=sys.stderr)
    finally:
        if not kept:
            if lab:
                lab.down()
            huge_pages.give_back()
        lock_file.unlink()
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
