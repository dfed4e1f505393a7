"""The rates as a picture (SVG): packets and bits a second over the inner size, a panel a mode."""

import math
from dataclasses import dataclass
from xml.sax.saxutils import escape

from tools.bench.tables import users_of

PANEL_WIDTH, PANEL_HEIGHT = 320, 200
LEFT, TOP, GAP_X, GAP_Y, LEGEND = 70, 70, 80, 80, 60
METRICS = (("pps", 1e-6, "million packets/s"), ("inner_ip_bps", 1e-9, "inner IP Gbit/s"))
COLOURS = {"relayd": ("#0b5394", "#3d85c6", "#6aa84f", "#e69138"), "wireguard-go": ("#990000",
                                                                                    "#cc6666")}


@dataclass
class Series:
    name: str
    far_end: str
    users: int
    colour: str
    dashed: bool


def series_of(rows: list[dict]) -> list[Series]:
    found = []
    for far_end, colours in COLOURS.items():
        users = sorted({r["users"] for r in rows if r["far_end"] == far_end and r.get("pps")})
        for i, count in enumerate(users):
            found.append(Series(f"{far_end}, {users_of(count)}", far_end, count,
                                colours[i % len(colours)], far_end != "relayd"))
    return found


def ceiling(value: float) -> float:
    """The next round number, at least `value`."""
    if value <= 0:
        return 1.0
    power = 10 ** math.floor(math.log10(value))
    return next(step * power for step in (1, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10)
                if step * power >= value)


def text(x: float, y: float, words: str, size: int = 12, anchor: str = "middle",
         extra: str = "") -> str:
    return (f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" text-anchor="{anchor}"{extra}>'
            f"{escape(words)}</text>")


class Panel:
    """One mode and one metric; sizes stand at equal distances, IMIX apart at the end."""

    def __init__(self, x: float, y: float, sizes: list[str], greatest: float):
        self.x, self.y, self.sizes, self.top = x, y, sizes, ceiling(greatest)

    def at(self, size: str, value: float) -> tuple[float, float]:
        step = PANEL_WIDTH / len(self.sizes)
        return (self.x + (self.sizes.index(size) + 0.5) * step,
                self.y + PANEL_HEIGHT * (1 - value / self.top))

    def frame(self, title: str, label: str) -> list[str]:
        parts = [f'<rect x="{self.x}" y="{self.y}" width="{PANEL_WIDTH}" height="{PANEL_HEIGHT}" '
                 'fill="none" stroke="#999"/>',
                 text(self.x + PANEL_WIDTH / 2, self.y - 10, title, 14),
                 text(self.x + PANEL_WIDTH / 2, self.y + PANEL_HEIGHT + 36, "inner packet, bytes")]
        middle = self.y + PANEL_HEIGHT / 2
        parts.append(text(self.x - 48, middle, label, extra=f' transform="rotate(-90 '
                                                            f'{self.x - 48:.1f} {middle:.1f})"'))
        for i in range(5):
            value = self.top * i / 4
            y = self.y + PANEL_HEIGHT * (1 - i / 4)
            parts.append(f'<line x1="{self.x}" y1="{y:.1f}" x2="{self.x + PANEL_WIDTH}" '
                         f'y2="{y:.1f}" stroke="#e0e0e0"/>')
            parts.append(text(self.x - 6, y + 4, f"{value:g}", 11, "end"))
        for size in self.sizes:
            parts.append(text(self.at(size, 0)[0], self.y + PANEL_HEIGHT + 18,
                              "IMIX" if size == "imix" else size, 11))
        return parts

    def draw(self, series: Series, values: dict[str, float]) -> list[str]:
        points = [self.at(size, values[size]) for size in self.sizes
                  if size in values and size != "imix"]
        dash = ' stroke-dasharray="6 4"' if series.dashed else ""
        parts = []
        if len(points) > 1:
            path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
            parts.append(f'<polyline points="{path}" fill="none" stroke="{series.colour}" '
                         f'stroke-width="2"{dash}/>')
        for size, value in values.items():
            x, y = self.at(size, value)
            parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{series.colour}"/>')
        return parts


def legend(series: list[Series], y: float) -> list[str]:
    parts = []
    for i, one in enumerate(series):
        x = LEFT + i % 4 * 280
        row = y + i // 4 * 20
        dash = ' stroke-dasharray="6 4"' if one.dashed else ""
        parts.append(f'<line x1="{x}" y1="{row}" x2="{x + 30}" y2="{row}" '
                     f'stroke="{one.colour}" stroke-width="2"{dash}/>')
        parts.append(text(x + 38, row + 4, one.name, 12, "start"))
    return parts


def as_svg(report: dict) -> str:
    """A drawing without text but title and legend when nothing was measured."""
    rows = [r for r in report["rows"] if r.get("pps")]
    modes, sizes = report["settings"]["modes"], list(report["settings"]["sizes"])
    series = series_of(rows)
    width = LEFT + max(len(modes), 1) * (PANEL_WIDTH + GAP_X)
    legend_y = TOP + len(METRICS) * (PANEL_HEIGHT + GAP_Y)
    height = legend_y + LEGEND
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
             f'viewBox="0 0 {width} {height}" font-family="sans-serif" fill="#222">',
             f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
             text(LEFT, 28, f"Highest rate without loss, {report['machine'].get('processor')}, "
                            "generator and relay on two cores", 16, "start")]
    for line, (metric, scale, label) in enumerate(METRICS):
        greatest = max((r[metric] * scale for r in rows), default=0)
        for column, mode in enumerate(modes):
            of_mode = [r for r in rows if r["mode"] == mode]
            panel = Panel(LEFT + column * (PANEL_WIDTH + GAP_X),
                          TOP + line * (PANEL_HEIGHT + GAP_Y), sizes, greatest)
            parts += panel.frame(f"mode {mode}", label)
            for one in series:
                values = {r["size"]: r[metric] * scale for r in of_mode
                          if (r["far_end"], r["users"]) == (one.far_end, one.users)}
                parts += panel.draw(one, values)
    return "\n".join([*parts, *legend(series, legend_y), "</svg>"]) + "\n"
