"""Protects what runs the relay from drifting apart: unit, container and manifest name the same capabilities,
probes ask where HTTP is served, and every example is installed."""

import re
import unittest

from tests.layout.source_tree import ROOT

CONTAINER = ROOT / "conf" / "container"


def found(pattern: str, file) -> str:
    match = re.search(pattern, file.read_text(), re.MULTILINE)
    assert match, f"{file.name} has nothing like {pattern}"
    return match[1]


def capabilities(text: str) -> set[str]:
    return {word.removeprefix("CAP_") for word in re.findall(r"[A-Z_]+", text.upper())}


class ConfTest(unittest.TestCase):
    def test_all_name_the_same_capabilities(self):
        unit = capabilities(found(r"^AmbientCapabilities=(.*)$", ROOT / "conf" / "wirelay.service.in"))
        containerfile = CONTAINER / "Containerfile"
        of_file = capabilities(found(r"setcap (\S+)=ep", containerfile))
        of_run = set(re.findall(r"--cap-add (\w+)", containerfile.read_text()))
        of_manifest = capabilities(found(r"^ *add: \[(.*)\]$", CONTAINER / "kubernetes.yaml"))
        self.assertEqual([unit] * 3, [of_file, of_run, of_manifest])

    def test_probes_ask_where_it_is_served(self):
        served = found(r"parse_endpoint\(\"127\.0\.0\.1:(\d+)\"\)",
                       ROOT / "ctrl" / "config" / "config.h")
        manifest = (CONTAINER / "kubernetes.yaml").read_text()
        self.assertEqual(re.findall(r"path: (/\w+), port: (\d+)", manifest),
                         [("/health", served), ("/ready", served)])

    def test_every_example_is_installed(self):
        build = (ROOT / "conf" / "meson.build").read_text()
        examples = [file.name for file in (ROOT / "conf").glob("*.json")]
        self.assertEqual([name for name in examples if f"'{name}'" not in build], [])
