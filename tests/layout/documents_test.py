"""Protects documents from drifting away from the code that they describe."""

import re
import unittest

from tests.layout.source_tree import ROOT, tracked


def read(path: str) -> str:
    return (ROOT / path).read_text()


class DocumentsTest(unittest.TestCase):
    def test_every_drop_is_documented_in_order(self):
        names = re.findall(r'^    \{"(\w+)", "', read("dataplane/drops.h"), re.MULTILINE)
        self.assertGreater(len(names), 30)
        self.assertEqual(re.findall(r"^\| `(\w+)` \|", read("docs/drops.md"), re.MULTILINE), names)

    def test_every_kind_of_event_is_documented_in_order(self):
        found = re.findall(r'KindInfo\{Kind::k\w+, "(\w+)", "([^"]+)",\s+"([^"]+)"\}',
                           read("ctrl/events/event.h"))
        self.assertGreater(len(found), 8)
        table = re.findall(r"^\| `(\w+)` \| (.+) \| (.+) \|$", read("docs/events.md"), re.MULTILINE)
        self.assertEqual(table, found)
        names = " ".join(name for name, _, _ in found)
        for file in ("relayctl.bash", "_relayctl", "relayctl.fish"):
            self.assertIn(names, read(f"cli/completion/{file}"))

    def test_the_order_of_stages_is_documented(self):
        stages = re.findall(r'^    Stage\{"(\w+)", Lane::k(\w+)', read("dataplane/pipeline.h"),
                            re.MULTILINE)
        lanes: dict[str, list[str]] = {}
        for stage, lane in stages:
            lanes.setdefault(lane.lower(), []).append(stage)
        self.assertGreater(len(lanes), 3)
        text = read("docs/architecture.md")
        for lane, names in lanes.items():
            self.assertIn(f"| {lane} | {', '.join(names)} |", text)

    def test_every_package_has_its_reason(self):
        reasons = read("docs/dependencies.md")
        for line in read("tools/packages.txt").splitlines():
            if not line.startswith("#"):
                group, package, reason = line.split(maxsplit=2)
                with self.subTest(package=package):
                    self.assertIn(package.removesuffix("-dev"), reasons)

    def test_links_lead_somewhere(self):
        dead = [f"{page}: {target}" for page in tracked(".md")
                for target in re.findall(r"\]\(([^)#]+)[^)]*\)", read(page))
                if "://" not in target and not (ROOT / page).parent.joinpath(target).exists()]
        self.assertEqual(dead, [])

    def test_the_readme_leads_to_every_document(self):
        linked = re.findall(r"\]\((docs/[^)#]+)", read("README.md"))
        self.assertEqual([str(p) for p in tracked(".md")
                          if p.parts[0] == "docs" and str(p) not in linked], [])
