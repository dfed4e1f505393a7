"""Protects the documents of the outside faces: every API method and every command is in them."""

import re
import unittest

from tests.layout.source_tree import ROOT


def found(folder: str, pattern: str) -> list[str]:
    return [name for path in sorted((ROOT / folder).glob("*.cc"))
            for name in re.findall(pattern, path.read_text())]


class FacesTest(unittest.TestCase):
    def test_every_method_is_documented(self):
        methods = found("ctrl/api", r'Method\{"(\w+\.\w+)"')
        self.assertGreater(len(methods), 14)
        headings = re.findall(r"^### (\w+\.\w+)$", (ROOT / "docs/api.md").read_text(), re.MULTILINE)
        self.assertEqual(sorted(headings), sorted(methods))

    def test_every_command_is_documented(self):
        commands = found("cli", r'Command\{"([a-z ]+)"')
        self.assertGreater(len(commands), 18)
        text = (ROOT / "docs/relayctl.md").read_text()
        for command in commands:
            with self.subTest(command=command):
                self.assertRegex(text, rf"`{command}[ `]")
