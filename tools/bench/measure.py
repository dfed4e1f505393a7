"""The measurements: rates without loss, overload, bulk import under traffic."""

import json
import pathlib
import time

from tests.e2e.generator import RELAYGEN, Generator
from tests.e2e.netns import until
from tools.bench.far_ends import FarEnd, Relayd
from tools.bench.plan import Plan

SPREAD = ("--spread", "uniform")  # each packet for a user at random: no cache knows who is next
OVERLOAD = 3            # times the highest rate without loss
OVERLOAD_TRIALS = 3
BULK_PPS = 100_000      # the traffic during a bulk import
BULK_TRAFFIC_USERS = 1_000
BULK_START = 1.5        # seconds of traffic before the import


def search(far_end: FarEnd, plan: Plan, users: int, sizes: tuple[str, ...]) -> tuple[list, dict]:
    """A row for each mode and size, and how the clients came up."""
    report = far_end.generator.run(
        "search", "--users", str(users), "--mode", ",".join(plan.modes), "--size", ",".join(sizes),
        "--duration", str(plan.seconds), "--resolution", str(plan.resolution),
        "--loss-threshold", str(plan.loss), "--tries", str(plan.tries),
        "--round", str(plan.round), *SPREAD,
        seconds=600 + 60 * len(plan.modes) * len(sizes), accept=(0, 4))
    rows = [search_row(far_end, users, entry) for entry in report["results"]]
    bring_up = report.get("bring_up", [{}])[0] | {
        "far_end": far_end.name, "users": users, "memory_bytes": far_end.memory(),
        "generator_huge_pages": report["machine"]["huge_pages"]}
    return rows, {"bring_up": bring_up, "machine": report["machine"]}


def search_row(far_end: FarEnd, users: int, entry: dict) -> dict:
    first = entry["trials"][0]
    row = {"far_end": far_end.name, "mode": first["mode"], "users": users, "size": first["size"],
           "inner_bytes": first["mean_inner_bytes"], "trials": len(entry["trials"]),
           "most_pps": max(t["received_pps"] for t in entry["trials"]),
           "corrupt": sum(t["corrupt"] for t in entry["trials"]),
           "duplicates": sum(t["duplicates"] for t in entry["trials"])}
    best = entry.get("best")
    if best is None:
        return row | {"note": "lost packets at every rate that was tried"}
    return row | {"pps": best["received_pps"], "inner_ip_bps": best["received_inner_ip_bps"],
                  "offered_pps": best["offered_pps"], "loss": best["loss"],
                  "generator_busy": best["generator_busy"]}


def overload(far_end: FarEnd, plan: Plan, row: dict) -> dict:
    """What comes out when three times the row's rate is offered, and, right before, when the rate
    itself is: a search's best trial was a lucky one, too."""
    alone = offered(far_end, plan, row, row["pps"])
    trial = offered(far_end, plan, row, OVERLOAD * row["pps"])
    return {key: row[key] for key in ("far_end", "mode", "users", "size")} | {
        "rate_pps": row["pps"], "delivered_at_rate_pps": alone["received_pps"],
        "offered_pps": trial["offered_pps"], "sent_pps": trial["sent_pps"],
        "delivered_pps": trial["received_pps"],
        "share_of_rate": trial["received_pps"] / row["pps"],
        "share_of_delivered_at_rate": trial["received_pps"] / alone["received_pps"],
        "refused_by_ring": trial["refused_by_port"], "lost": trial["lost"],
        "corrupt": trial["corrupt"], "generator_busy": trial["generator_busy"],
        "greatest_send_lag_ns": trial["greatest_send_lag_ns"]}


def offered(far_end: FarEnd, plan: Plan, row: dict, pps: float) -> dict:
    """The median trial, by what came out, of some at this rate."""
    report = far_end.generator.run(
        "run", "--users", str(row["users"]), "--mode", row["mode"],
        "--size", ",".join([row["size"]] * OVERLOAD_TRIALS), "--rate", f"{pps:.0f}",
        "--duration", str(plan.overload_seconds), "--round", str(plan.round), *SPREAD,
        accept=(0, 4))
    trials = sorted(report["trials"], key=lambda t: t["received_pps"])
    return trials[len(trials) // 2]


def bulk_import(far_end: Relayd, plan: Plan, folder: pathlib.Path) -> dict:
    """Adds users with a peer each through the API while others' traffic flows."""
    active = min(BULK_TRAFFIC_USERS, plan.most_users())
    newcomers = folder / "newcomers.json"
    make_newcomers(far_end.generator, newcomers, plan.bulk, folder)
    far_end.start(active, room=plan.bulk)
    try:
        return import_under_traffic(far_end, newcomers, plan, active)
    finally:
        far_end.stop()


def make_newcomers(generator: Generator, path: pathlib.Path, count: int, folder: pathlib.Path):
    """Users that differ in name, key and address from those whose traffic flows."""
    generator.namespace.run(str(RELAYGEN), "peers", "--count", str(count), "--out",
                            str(folder / "newcomers"), "--prefix", "10.128.0.0/10", timeout=300)
    everyone = json.loads((folder / "newcomers" / "users.json").read_text())["users"]
    for user in everyone:
        user["name"] = "new-" + user["name"]
        for peer in user["peers"]:
            peer["name"] = "new-" + peer["name"]
    path.write_text(json.dumps({"users": everyone}))


def sessions(far_end: Relayd) -> int:
    return far_end.relay.call("status.get")["handshakes"]["completed"]


def import_under_traffic(far_end: Relayd, newcomers: pathlib.Path, plan: Plan, active: int) -> dict:
    traffic = far_end.generator.start(
        "run", "--users", str(active), "--mode", "up", "--size", "576", "--rate", str(BULK_PPS),
        "--duration", str(plan.bulk_seconds), "--round", str(BULK_PPS),
        "--idle-sleep", "20")
    try:
        until(lambda: traffic.process.poll() is not None or sessions(far_end) >= active, 60,
              "sessions for the traffic during the import")
        time.sleep(BULK_START)
        began = time.monotonic()
        far_end.relay.ctl("user", "add", "--file", str(newcomers), timeout=300)
        seconds = time.monotonic() - began
        still_flowing = traffic.process.poll() is None
    finally:
        report = traffic.result(accept=(0, 4))
    trial, = report["trials"]
    return {"users": plan.bulk, "seconds": seconds, "traffic_users": active,
            "traffic_pps": trial["sent_pps"], "sent": trial["sent"], "lost": trial["lost"],
            "traffic_outlasted_import": still_flowing, "drops": far_end.relay.drops(),
            "users_after": far_end.relay.call("status.get")["users"]}
