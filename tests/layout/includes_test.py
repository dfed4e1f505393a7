"""Protects the one-way dependencies: crypto <- dataplane <- ctrl, and cli on its own.

A layer that reaches upwards, or a library that leaks into a layer that must not know it, fails
here before it becomes a habit.
"""

import re
import unittest

from tests.layout.source_tree import LAYERS, ROOT, includes, layer_of, sources

# What each layer may include of the repository.
ALLOWED = {
    "crypto": ("crypto",),
    "dataplane": ("crypto", "dataplane"),
    "ctrl": ("crypto", "dataplane", "ctrl"),
    "cli": ("crypto", "cli"),
}

# Libraries that a layer must not know, by the names of their headers.
FOREIGN = {
    "crypto": r"rte_|json/|event2/|event\.h|spdlog/|boost/|sys/socket|cppunit/",
    "dataplane": r"json/|event2/|event\.h|spdlog/|boost/|cppunit/",
    "ctrl": r"cppunit/",
    "cli": r"rte_|event2/|event\.h|cppunit/",
}


class IncludesTest(unittest.TestCase):
    def test_layers_include_only_what_stands_below(self):
        wrong = [f"{path}: {name}"
                 for path in sources() if layer_of(path) in LAYERS
                 for quote, name in includes(path)
                 if quote == '"' and name.split("/")[0] not in ALLOWED[layer_of(path)]]
        self.assertEqual(wrong, [])

    def test_libraries_stay_in_their_layers(self):
        wrong = [f"{path}: {name}"
                 for path in sources() if layer_of(path) in LAYERS
                 for quote, name in includes(path)
                 if quote == "<" and re.match(FOREIGN[layer_of(path)], name)]
        self.assertEqual(wrong, [])

    def test_includes_are_rooted_at_the_repository(self):
        wrong = [f"{path}: {name}"
                 for path in sources()
                 for quote, name in includes(path)
                 if quote == '"' and not (ROOT / name).is_file()]
        self.assertEqual(wrong, [])
