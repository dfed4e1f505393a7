"""What a benchmark run measures: which modes, users and sizes, how long each trial."""

from dataclasses import dataclass, field

MODES = ("up", "down", "hub")
SIZES = ("64", "128", "256", "576", "1024", "1420", "imix")
USERS = (1, 1_000, 10_000, 100_000)
KEY_SIZES = ("64", "576", "1420", "imix")  # where many users are measured
FEW_SIZES = ("64", "576")  # and where it is only to be seen how they change from few to many

Matrix = dict[int, tuple[str, ...]]  # users: sizes


@dataclass
class Plan:
    name: str
    modes: tuple[str, ...] = MODES
    relayd: Matrix = field(default_factory=dict)
    wireguard_go: Matrix = field(default_factory=dict)
    overload: tuple[str, ...] = ("64", "1420")  # sizes, with the fewest users
    bulk: int = 100_000  # users of the bulk import; 0: none
    bulk_seconds: float = 12  # of traffic beside it
    seconds: float = 0.2  # of sending in a trial
    overload_seconds: float = 0.5
    resolution: float = 0.04
    loss: float = 0.001  # share of packets that may be lost
    tries: int = 3  # trials that a rate may take: cores of a shared machine have hiccups
    round: int = 65536  # packets that relaygen makes ahead

    def most_users(self) -> int:
        return max([*self.relayd, *self.wireguard_go, 1])

    def left_out(self) -> list[str]:
        """What the whole has and this run has not."""
        lines = [f"mode {mode}" for mode in MODES if mode not in self.modes]
        for name, matrix in (("relayd", self.relayd), ("wireguard-go", self.wireguard_go)):
            for users in USERS:
                missing = [s for s in SIZES if s not in matrix.get(users, ())]
                if missing:
                    what = "all sizes" if len(missing) == len(SIZES) else "sizes " + ", ".join(missing)
                    lines.append(f"{name} at users {users:,}: {what}")
        if not self.overload:
            lines.append("overload")
        if not self.bulk:
            lines.append("bulk import")
        return lines


def default_plan() -> Plan:
    """A few minutes: all sizes with one user, some with more."""
    relayd = {1: SIZES, 1_000: KEY_SIZES, 10_000: FEW_SIZES, 100_000: KEY_SIZES}
    return Plan("default", relayd=relayd, wireguard_go={1: SIZES, 1_000: ("64", "1420")})


def full_plan() -> Plan:
    """Everything, in longer trials."""
    everything = {users: SIZES for users in USERS}
    return Plan("full", relayd=everything, wireguard_go=dict(everything), seconds=1.0,
                overload_seconds=2.0, resolution=0.01)


def brief_plan() -> Plan:
    """Every kind of row once: to see that the benchmark works, not for figures."""
    return Plan("brief", relayd={1: ("64", "1420"), 50: ("64",)}, wireguard_go={1: ("64",)},
                overload=("64",), bulk=2_000, bulk_seconds=3, seconds=0.03, overload_seconds=0.05, resolution=0.25, loss=0.2,
                tries=1, round=4096)


PLANS = {"default": default_plan, "full": full_plan, "brief": brief_plan}
