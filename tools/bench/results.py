"""Rows of measurements, put beside each other: ratios within one run."""

from collections.abc import Iterable

MEANINGFUL_USERS = 900  # fewer are lost in the pages that a process takes anyway

Key = tuple[str, str, int, str]  # far end, mode, users, size


def index(rows: Iterable[dict]) -> dict[Key, dict]:
    return {(r["far_end"], r["mode"], r["users"], r["size"]): r for r in rows}


def ratio(a: dict | None, b: dict | None, field: str) -> float | None:
    if not a or not b or not a.get(field) or not b.get(field):
        return None
    return a[field] / b[field]


def add_ratios(rows: list[dict]):
    """To relayd's rows: against one user, and against wireguard-go with as many users, or, where
    that was not measured, with the most that were."""
    known = index(rows)
    for row in rows:
        if row["far_end"] != "relayd":
            continue
        mode, users, size = row["mode"], row["users"], row["size"]
        row["to_one_user"] = ratio(row, known.get(("relayd", mode, 1, size)), "pps")
        others = [r for r in rows if r["far_end"] == "wireguard-go" and r.get("pps")
                  and (r["mode"], r["size"]) == (mode, size) and r["users"] <= users]
        other = max(others, key=lambda r: r["users"], default=None)
        row["wireguard_go_users"] = other["users"] if other else None
        row["to_wireguard_go"] = ratio(row, other, "pps")
        row["most_to_most_of_wireguard_go"] = ratio(row, other, "most_pps")


def memory_a_user(bring_ups: list[dict], far_end: str) -> float | None:
    """Bytes that a connected user adds to the process, between the fewest and the most; None
    where that means nothing (a garbage collector's whims)."""
    own = sorted((b for b in bring_ups if b["far_end"] == far_end and b.get("memory_bytes")),
                 key=lambda b: b["users"])
    if len(own) < 2 or own[-1]["users"] - own[0]["users"] < MEANINGFUL_USERS:
        return None
    more = own[-1]["memory_bytes"] - own[0]["memory_bytes"]
    return more / (own[-1]["users"] - own[0]["users"]) if more > 0 else None
