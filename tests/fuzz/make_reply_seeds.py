"""Writes tests/fuzz/corpus/relayctl: for each command of fuzz_relayctl what a relay says to it."""

import json
import pathlib

CORPUS = pathlib.Path(__file__).resolve().parent / "corpus/relayctl"
KEY = "xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg="

COUNTS = {"users_added": 2, "users_changed": 0, "users_removed": 1, "peers_added": 1}
TRAFFIC = {"rx_bytes": 1_200_000, "rx_packets": 1000, "tx_bytes": 5, "tx_packets": 1}
PORT = {"name": "wan", "device": "net_af_packet0", "link_up": True, "rx_packets": 7, "rx_bytes": 700,
        "rx_missed": 0, "rx_errors": 1, "tx_packets": 2, "tx_bytes": 200, "tx_errors": 0}
WORKER = {"id": 0, "core": 1, "rx_packets": 5, "tx_packets": 4, "polls": 100, "empty_polls": 90,
          "stages": [{"name": "classify", "packets": 64, "batches": 2, "cycles": 6400}]}
PEER = {"name": "phone", "user": "alice", "public_key": KEY, "allowed_ips": ["10.77.0.2/32"],
        "has_preshared_key": False, "persistent_keepalive": 25, "endpoint": "192.0.2.9:51820",
        "status": {"endpoint": "192.0.2.9:51820", "last_handshake": 1_700_000_000,
                   "has_session": True, "traffic": TRAFFIC}}
USER = {"name": "alice", "enabled": True, "max_peers": 3,
        "limits": {"up": {"rate": "20M", "burst": "256K"}, "down": {"rate": "unlimited"}},
        "status": {"peers": 1, "peers_connected": 1, "traffic": TRAFFIC, "dropped_up": 0,
                   "dropped_down": 9}}
STATUS = {"version": "0.1.0", "uptime_seconds": 90_000, "public_key": KEY, "listen_port": 51820,
          "engine": {"name": "lanes", "reason": "measured"},
          "x25519_engine": {"name": "lanes", "reason": "measured"}, "huge_pages": False,
          "polling": "adaptive", "sizes": {"users": 10, "peers": 20, "sessions": 80}, "users": 1,
          "peers": 1, "sessions": 1, "workers": [WORKER], "ports": [PORT],
          "handshakes": {"completed": 1, "initiations_received": 2, "refused": {"replay": 1}},
          "neighbours": [{"address": "192.0.2.254", "port": "wan", "mac": "02:00:00:00:00:01",
                          "state": "resolved"}]}
CONFIG = dict(PEER, relay={"public_key": KEY, "endpoint": "vpn.example.net:51820",
                           "dns": ["9.9.9.9"]})


def result(*results, error=None) -> str:
    replies = [{"jsonrpc": "2.0", "id": i, "result": r} for i, r in enumerate(results, 1)]
    if error:
        replies.append({"jsonrpc": "2.0", "id": len(results) + 1, "error": error})
    return "".join(json.dumps(r) + "\n" for r in replies)


# The first letter is the command's, as fuzz_relayctl.cc counts them.
SEEDS = {
    "status": "a" + result(STATUS),
    "stats": "b" + result({"ports": [PORT], "workers": [WORKER]}),
    "drops": "c" + result({"drops": [{"packets": 1234, "name": "replay", "text": "seen before"}]}),
    "reload": "d" + result(dict(COUNTS, difference=["user alice: removed"],
                                needs_restart=["ports[0].mtu"])),
    "export": "e" + result({"peers": [PEER], "total": 1}, {"users": [USER], "total": 1}),
    "user_add": "f" + result(COUNTS),
    "user_add_file": "g" + result(COUNTS),
    "user_show": "h" + result(dict(USER, peers=[PEER], peers_next="phone")),
    "user_list": "i" + result({"users": [USER], "total": 2, "next": "alice"},
                              {"users": [dict(USER, name="bob", enabled=False)], "total": 2}),
    "user_list_json": "j" + result({"users": [USER], "total": 1}),
    "user_remove": "k" + result(COUNTS),
    "peer_show": "l" + result(PEER),
    "peer_list_names": "m" + result({"peers": [PEER], "total": 1}),
    "peer_list": "n" + result({"peers": [PEER], "total": 1}),
    "peer_config": "o" + result(CONFIG),
    "peer_add": "p" + result(COUNTS, CONFIG),
    "refused": "f" + result(error={
        "code": -32602, "message": "params.name: no",
        "data": {"path": "params.name", "problems_found": 3, "problems_complete": False,
                 "problems": [{"path": "params.name", "message": "no"}]}}),
    "refused_file": "p" + result(COUNTS, error={"code": -32603, "message": "a fault"}),
    "nonsense": "a[]\n",
}

if __name__ == "__main__":
    CORPUS.mkdir(parents=True, exist_ok=True)
    for name, seed in SEEDS.items():
        (CORPUS / name).write_text(seed)
