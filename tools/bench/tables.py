"""The results as tables: for a terminal, or in Markdown."""

from tools.bench.results import index

Table = tuple[str, list[str], list[list[str]]]  # title, head, lines


def number(value: float | None, decimals: int = 0, unit: str = "") -> str:
    return "–" if value is None else f"{value:,.{decimals}f}{unit}"


def scaled(value: float | None, scale: float, decimals: int) -> str:
    return number(None if value is None else value * scale, decimals)


def percent(value: float | None) -> str:
    return number(None if value is None else 100 * value, 0, " %")


def users_of(users: int) -> str:
    return "1 user" if users == 1 else f"{users:,} users"


def rates(report: dict) -> Table:
    """relayd's rows, with wireguard-go's of the same mode, users and size beside them."""
    head = ["mode", "inner bytes", "users", "relayd kpps", "Gbit/s", "of 1 user",
            "wireguard-go kpps", "Gbit/s", "ratio", "ratio of most"]
    known = index(report["rows"])
    lines = []
    cells = {(m, s, u) for _, m, u, s in known}
    order = {size: i for i, size in enumerate(report["settings"]["sizes"])}
    modes = report["settings"]["modes"]
    for mode, size, users in sorted(cells, key=lambda c: (modes.index(c[0]), order[c[1]], c[2])):
        ours = known.get(("relayd", mode, users, size), {})
        other = known.get(("wireguard-go", mode, users, size), {})
        lines.append([mode, size, f"{users:,}", *pps_and_bits(ours),
                      percent(ours.get("to_one_user")) if users > 1 else "",
                      *(pps_and_bits(other) if other else ("", "")),
                      number(ours.get("to_wireguard_go"), 1) if other else "",
                      number(ours.get("most_to_most_of_wireguard_go"), 1) if other else ""])
    return ("Highest rate without loss", head, lines)


def pps_and_bits(row: dict) -> tuple[str, str]:
    return scaled(row.get("pps"), 1e-3, 1), scaled(row.get("inner_ip_bps"), 1e-9, 3)


def overload(report: dict) -> Table:
    head = ["mode", "inner bytes", "users", "rate kpps", "delivered at it", "offered kpps",
            "delivered kpps", "of rate", "of delivered at it", "relaygen busy"]
    return ("Overload: three times that rate offered", head,
            [[r["mode"], r["size"], f"{r['users']:,}", scaled(r["rate_pps"], 1e-3, 1),
              scaled(r["delivered_at_rate_pps"], 1e-3, 1), scaled(r["sent_pps"], 1e-3, 1),
              scaled(r["delivered_pps"], 1e-3, 1), percent(r["share_of_rate"]),
              percent(r["share_of_delivered_at_rate"]), percent(r["generator_busy"])]
             for r in report["overload"]])


def bring_up(report: dict) -> Table:
    head = ["far end", "users", "seconds", "handshakes/s", "repeated", "cookies", "memory MB"]
    return ("Bringing the users up", head,
            [[b["far_end"], f"{b['users']:,}", number(b.get("seconds"), 2),
              number(b.get("handshakes_per_second")), number(b.get("repeated")),
              number(b.get("cookies")), scaled(b.get("memory_bytes"), 1e-6, 0)]
             for b in report["bring_up"]])


def bulk(report: dict) -> Table:
    head = ["users added", "seconds", "traffic kpps", "packets sent", "lost"]
    row = report["bulk_import"]
    return ("Bulk import through the API, under traffic", head, [] if not row else [
        [f"{row['users']:,}", number(row["seconds"], 2), scaled(row["traffic_pps"], 1e-3, 1),
         number(row["sent"]), number(row["lost"])]])


def gigabytes(memory: str) -> str:
    """Of what /proc/meminfo says."""
    return f"{int(memory.split()[0]) * 1024 / 1e9:.0f} GB" if memory else "memory unknown"


def tables(report: dict) -> list[Table]:
    return [t for t in (rates(report), overload(report), bring_up(report), bulk(report)) if t[2]]


def remarks(report: dict) -> list[str]:
    lines = [f"not measured: {note}" for note in report["notes"]]
    for name, value in report["memory_bytes_a_user"].items():
        if value is not None:
            lines.append(f"{name}: {value:,.0f} bytes of memory for each further connected user")
    for far_end in ("relayd", "wireguard-go"):
        busy = [r["generator_busy"] for r in report["rows"]
                if r["far_end"] == far_end and "generator_busy" in r]
        if busy:
            lines.append(f"before {far_end}, relaygen worked for at most {max(busy):.0%} of the "
                         "time at these rates")
    bulk_import = report["bulk_import"]
    if bulk_import and not bulk_import["traffic_outlasted_import"]:
        lines.append("the bulk import took longer than the traffic beside it")
    if report["left_out"]:
        lines.append("left out (--full has it all): " + "; ".join(report["left_out"]))
    return lines


def circumstances(report: dict) -> list[str]:
    machine, settings = report["machine"], report["settings"]
    return [
        f"{report['time']}, {machine.get('processor')}, {machine.get('cores')} cores, TSC "
        f"{machine.get('tsc_hz', 0) / 1e9:.2f} GHz, {gigabytes(machine.get('memory', ''))}, "
        f"{machine.get('kernel')}, {machine.get('dpdk')}, engine {machine.get('aead_engine')}, "
        f"{'huge pages' if machine.get('huge_pages') else 'no huge pages'}",
        f"revision {report['revision']}, {report['seconds']:.0f} s in all; load of the machine "
        f"before: {report['load_before']:.2f}",
        f"plan {settings['name']}: trials of {settings['seconds']} s, resolution "
        f"{settings['resolution']:.0%}, at most {settings['loss']:.2%} lost counts as without "
        f"loss, a rate has {settings['tries']} tries; bits are those of inner IP packets",
        "relaygen on core 0; relayd: worker on core 1 (busy polling), control thread on core 0, "
        "memif; wireguard-go: both cores, veth and af_packet; all of them at the same high priority",
        'ratio: relayd to wireguard-go; "of most": the most that each delivered at any rate, '
        "whatever was lost"]


def as_text(report: dict) -> str:
    blocks = ["\n".join(circumstances(report))]
    for title, head, lines in tables(report):
        widths = [max(len(row[i]) for row in [head, *lines]) for i in range(len(head))]
        rows = ["  ".join(cell.rjust(width) for cell, width in zip(row, widths))
                for row in [head, *lines]]
        blocks.append("\n".join([title, *rows]))
    blocks.append("\n".join(remarks(report)))
    return "\n\n".join(blocks) + "\n"


def as_markdown(report: dict) -> str:
    blocks = ["\n".join(f"* {line}" for line in circumstances(report))]
    for title, head, lines in tables(report):
        rows = ["| " + " | ".join(row) + " |" for row in [head, ["---:"] * len(head), *lines]]
        blocks += [f"### {title}", "\n".join(rows)]
    blocks.append("\n".join(f"* {line}" for line in remarks(report)))
    return "\n\n".join(blocks) + "\n"
