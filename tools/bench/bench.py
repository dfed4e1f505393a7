"""The benchmark of the whole: relaygen against relayd, and against wireguard-go beside it.

Run by tools/bench.sh, which installs and builds before. Processes, namespaces and huge pages are
this run's own, and all of them are gone when it ends, however it ends.
"""

import argparse
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT))

from tests.e2e import lab as net  # noqa: E402
from tests.e2e.case import why_not_here  # noqa: E402
from tests.e2e.generator import RELAYGEN, GeneratorFailed, make_identities  # noqa: E402
from tests.e2e.huge_pages import HugePages  # noqa: E402
from tests.e2e.netns import alone_on_this_machine, is_running  # noqa: E402
from tools.bench import measure, plot, results, tables  # noqa: E402
from tools.bench.far_ends import FarEnd, Relayd, WireguardGoEnd  # noqa: E402
from tools.bench.plan import KEY_SIZES, MODES, PLANS, SIZES, Plan  # noqa: E402

HUGE_PAGES = 256        # of 2 MiB: packet pools of relayd and relaygen
BASE_MEMORY = 1 << 30   # beside what users take
NICENESS = -15          # of all that is measured, so that what else runs disturbs less
SLOW_BRING_UP = 90      # seconds
FAILURES = (GeneratorFailed, RuntimeError, OSError, TimeoutError, subprocess.TimeoutExpired)


class Progress:
    """One line a step, with the time since the beginning."""

    def __init__(self, steps: int):
        self.steps, self.done, self.began = steps, 0, time.monotonic()
        self.finished = False

    def step(self, what: str):
        self.done += 1
        print(f"[{self.done}/{self.steps}, {time.monotonic() - self.began:.0f} s] {what}",
              file=sys.stderr, flush=True)


class Benchmark:
    def __init__(self, plan: Plan, name: str, folder: pathlib.Path):
        self.plan, self.name, self.folder = plan, name, folder
        self.identities = folder / "identities"
        self.overloads: list[dict] = []
        self.rows: list[dict] = []
        self.bring_ups: list[dict] = []
        self.bulk: dict | None = None
        self.notes: list[str] = []
        self.machine: dict = {}
        self.progress = Progress(len(plan.relayd) + len(plan.wireguard_go) + bool(plan.bulk) + 1)

    def run(self):
        most = self.plan.most_users()
        self.progress.step(f"identities for {most:,} users")
        make_identities(self.identities, most)
        relayd = Relayd(self.name, self.folder, self.identities)
        wireguard_go = WireguardGoEnd(self.name, self.folder, self.identities)
        for users in sorted({*self.plan.relayd, *self.plan.wireguard_go}):
            # In turn, so that what is compared was measured close together.
            for far_end, matrix in ((relayd, self.plan.relayd),
                                    (wireguard_go, self.plan.wireguard_go)):
                if users in matrix:
                    self.attempt(far_end, users, matrix[users])
        if self.plan.bulk:
            self.attempt_bulk(relayd)
        self.progress.finished = True

    def attempt(self, far_end: FarEnd, users: int, sizes: tuple[str, ...]):
        """One far end with so many users; a failure is a note, and the rest goes on."""
        self.progress.step(f"{far_end.name}, {tables.users_of(users)}, modes {' '.join(self.plan.modes)}, "
                           f"sizes {' '.join(sizes)}")
        try:
            self.check_memory(users * far_end.bytes_a_user)
            far_end.start(users)
            rows, more = measure.search(far_end, self.plan, users, sizes)
            self.rows += rows
            self.bring_ups.append(more["bring_up"])
            self.machine = self.machine or more["machine"]
            self.warn_of_expiry(more["bring_up"])
            self.notes += [f"{far_end.name}, {tables.users_of(users)}, mode {r['mode']}, size "
                           f"{r['size']}: {r['note']}" for r in rows if "note" in r]
            if self.plan.overload and far_end.name == "relayd" and users == min(self.plan.relayd):
                self.overload(far_end, rows)
        except FAILURES as error:
            self.notes.append(f"{far_end.name}, {tables.users_of(users)}: {error}")
        finally:
            far_end.stop()

    def warn_of_expiry(self, bring_up: dict):
        if (seconds := bring_up.get("seconds", 0)) > SLOW_BRING_UP:
            self.notes.append(
                f"{bring_up['far_end']}, {tables.users_of(bring_up['users'])}, as it should: the "
                f"handshakes take {seconds:.0f} s here, and sessions end after 180 s: renewing them "
                "leaves little time, and some expire meanwhile")

    def overload(self, far_end: FarEnd, rows: list[dict]):
        for row in rows:
            if row["size"] in self.plan.overload and row.get("pps"):
                self.overloads.append(measure.overload(far_end, self.plan, row))

    def attempt_bulk(self, relayd: Relayd):
        """Twice where it fails: unlike a search, which has many trials, it has but this one."""
        self.progress.step(f"bulk import of {self.plan.bulk:,} users while traffic flows")
        for attempt in (1, 2):
            try:
                self.check_memory(2 * self.plan.bulk * relayd.bytes_a_user)
                self.bulk = measure.bulk_import(relayd, self.plan, self.folder)
                return
            except FAILURES as error:
                self.notes.append(f"bulk import, attempt {attempt}: {error}")

    @staticmethod
    def check_memory(for_users: int):
        free = 1024 * int(re.search(r"MemAvailable:\s+(\d+)",
                                    pathlib.Path("/proc/meminfo").read_text()).group(1))
        needed = BASE_MEMORY + for_users
        if free < needed:
            raise RuntimeError(f"needs about {needed / 1e9:.1f} GB of memory, "
                               f"{free / 1e9:.1f} GB are free")

    def report(self, load_before: float, seconds: float) -> dict:
        results.add_ratios(self.rows)
        if not self.progress.finished:
            self.notes.append(f"all after step {self.progress.done - 1} of {self.progress.steps}: "
                              "interrupted")
        settings = {key: getattr(self.plan, key)
                    for key in ("name", "modes", "seconds", "overload_seconds", "resolution",
                                "loss", "tries", "round")}
        measured = {r["size"] for r in self.rows}
        settings["sizes"] = [s for s in SIZES if s in measured]
        return {"time": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()), "seconds": seconds,
                "load_before": load_before, "revision": revision(), "machine": self.machine,
                "settings": settings, "rows": self.rows, "overload": self.overloads,
                "bring_up": self.bring_ups, "bulk_import": self.bulk,
                "memory_bytes_a_user": {name: results.memory_a_user(self.bring_ups, name)
                                        for name in ("relayd", "wireguard-go")},
                "left_out": self.plan.left_out(), "notes": self.notes}


def revision() -> str:
    done = subprocess.run(["git", "-C", str(ROOT), "describe", "--always", "--dirty"],
                          capture_output=True, text=True, check=False)
    return done.stdout.strip() or "unknown"


def words(text: str) -> tuple[str, ...]:
    return tuple(text.split(","))


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="tools/bench.sh", description=__doc__.splitlines()[0])
    kind = parser.add_mutually_exclusive_group()
    kind.add_argument("--brief", dest="plan", action="store_const", const="brief")
    kind.add_argument("--full", dest="plan", action="store_const", const="full")
    parser.add_argument("--modes", type=words)
    parser.add_argument("--sizes", type=words)
    parser.add_argument("--users", type=lambda t: tuple(int(w) for w in words(t)))
    parser.add_argument("--no-wireguard-go", action="store_true")
    parser.add_argument("--no-overload", action="store_true")
    parser.add_argument("--no-bulk", action="store_true")
    parser.add_argument("--duration", type=float)
    parser.add_argument("--out", type=pathlib.Path)
    parser.add_argument("--markdown", action="store_true")
    options = parser.parse_args()
    for mode in options.modes or ():
        if mode not in MODES:
            parser.error(f"--modes: {mode} is none of {', '.join(MODES)}")
    for size in options.sizes or ():
        if size not in SIZES:
            parser.error(f"--sizes: {size} is none of {', '.join(SIZES)}")
    return options


def chosen_plan(options: argparse.Namespace) -> Plan:
    plan = PLANS[options.plan or "default"]()
    plan.modes = options.modes or plan.modes
    plan.seconds = options.duration or plan.seconds
    if options.users:
        plan.relayd = {u: plan.relayd.get(u, KEY_SIZES) for u in options.users}
        plan.wireguard_go = {u: plan.wireguard_go[u] for u in options.users
                             if u in plan.wireguard_go}
    if options.sizes:
        plan.relayd = dict.fromkeys(plan.relayd, options.sizes)
        plan.wireguard_go = dict.fromkeys(plan.wireguard_go, options.sizes)
    if options.no_wireguard_go:
        plan.wireguard_go = {}
    if options.no_overload:
        plan.overload = ()
    if options.no_bulk:
        plan.bulk = 0
    return plan


def clean_up(name: str):
    """Takes down a run, whoever started it."""
    net.remove_namespaces(f"{name}-")
    HugePages(net.folder_of(name) / "huge-pages").give_back()
    shutil.rmtree(net.folder_of(name), ignore_errors=True)


def remove_stale():
    """What runs that were killed have left."""
    with alone_on_this_machine():
        for folder in pathlib.Path("/run").glob("wl-bch*"):
            owner = folder.name.removeprefix("wl-bch")
            if owner.isdigit() and not is_running(int(owner)):
                clean_up(folder.name)


def interrupted(number, _frame):
    for further in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(further, signal.SIG_IGN)
    raise SystemExit(128 + number)


def write(report: dict, out: pathlib.Path, markdown: bool):
    out.mkdir(parents=True, exist_ok=True)
    (out / "bench.json").write_text(json.dumps(report, indent=2) + "\n")
    (out / "bench.svg").write_text(plot.as_svg(report))
    (out / "bench.md").write_text(tables.as_markdown(report))
    print(tables.as_markdown(report) if markdown else tables.as_text(report), end="")
    print(f"{out}/bench.json, bench.svg, bench.md", file=sys.stderr)


def main() -> int:
    options = parse()
    reason = why_not_here() or (None if RELAYGEN.exists() else f"needs {RELAYGEN}")
    if reason:
        print(f"The benchmark cannot run here: {reason}", file=sys.stderr)
        return 1
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, interrupted)
    os.setpriority(os.PRIO_PROCESS, 0, NICENESS)
    plan = chosen_plan(options)
    name = f"wl-bch{os.getpid()}"
    folder = net.folder_of(name)
    began, load_before = time.monotonic(), os.getloadavg()[0]
    benchmark = None
    try:
        remove_stale()
        folder.mkdir(mode=0o700)
        benchmark = Benchmark(plan, name, folder)
        if not HugePages(folder / "huge-pages").reserve(HUGE_PAGES):
            benchmark.notes.append(f"with huge pages: the machine does not give {HUGE_PAGES} of "
                                   "2 MiB; all rows are without")
        benchmark.run()
    finally:
        clean_up(name)
        if benchmark and (benchmark.rows or benchmark.bulk):
            report = benchmark.report(load_before, time.monotonic() - began)
            write(report, options.out or ROOT / "build" / "bench", options.markdown)
    return 0 if benchmark.rows or benchmark.bulk else 1


if __name__ == "__main__":
    sys.exit(main())
