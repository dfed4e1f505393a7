"""Protects docs/counters.md: it lists each counter as the lists beside the structs describe it."""

import re
import unittest

from tests.layout.source_tree import ROOT, tracked

# The list of each section of the document.
SECTIONS = {
    "Ports": "kPortCounters",
    "Workers": "kWorkerCounters",
    "Stages": "kStageCounters",
    "Handshakes": "kProtocolCounters",
    "Neighbours": "kNeighbourCounters",
    "Traffic": "kTrafficCounters",
    "Users": "kUserCounters",
    "Turns": "kTurnCounters",
}
LIST = re.compile(r"inline constexpr std::array (k\w+Counters) = (.*?)static_assert\(\w+\(\1\)\)",
                  re.DOTALL)
FIELD = re.compile(r'CounterField\{"([\w.]+)",\s*((?:"[^"]*"\s*)+),\s*&\w+::\w+(.*?)\}', re.DOTALL)


def rows(fields: str) -> list[str]:
    return [f"| `{name}` | {'gauge' if 'kGauge' in kind else 'counter'} | "
            + "".join(re.findall(r'"([^"]*)"', text)) + " |"
            for name, text, kind in FIELD.findall(fields)]


def lists() -> dict[str, list[str]]:
    return {name: rows(fields) for path in tracked(".h")
            for name, fields in LIST.findall((ROOT / path).read_text())}


class CountersTest(unittest.TestCase):
    def test_every_counter_is_documented_in_order(self):
        found = lists()
        self.assertEqual(sorted(found), sorted(SECTIONS.values()))
        self.assertGreater(sum(map(len, found.values())), 50)
        parts = re.split(r"^## (\w+)$", (ROOT / "docs/counters.md").read_text(),
                         flags=re.MULTILINE)
        documented = dict(zip(parts[1::2], parts[2::2]))
        for section, name in SECTIONS.items():
            with self.subTest(section=section):
                self.assertEqual(re.findall(r"^\| `.*$", documented[section], re.MULTILINE),
                                 found[name])
