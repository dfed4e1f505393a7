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
    "cli": ("crypto", "ctrl/base", "cli"),
}
# A room that another layer may use knows only what that layer may know.
ALLOWED_IN_ROOMS = {"ctrl/base": ("crypto", "ctrl/base")}

# Libraries that a layer must not know, by the names of their headers.
FOREIGN = {
    "crypto": r"rte_|json/|event2/|event\.h|fmt/|boost/|sys/socket|cppunit/",
    "dataplane": r"json/|event2/|event\.h|fmt/|boost/|cppunit/",
    "ctrl": r"cppunit/",
    "cli": r"rte_|event2/|event\.h|cppunit/",
}
FOREIGN_IN_ROOMS = {"ctrl/base": r"rte_|event2/|event\.h|cppunit/"}


def room_of(path) -> str:
    return "/".join(path.parts[:2])


def stands_below(path, name: str) -> bool:
    allowed = ALLOWED_IN_ROOMS.get(room_of(path), ALLOWED[layer_of(path)])
    return any(name.startswith(folder + "/") for folder in allowed)


def foreign_to(path) -> str:
    return FOREIGN_IN_ROOMS.get(room_of(path), FOREIGN[layer_of(path)])


class IncludesTest(unittest.TestCase):
    def test_layers_include_only_what_stands_below(self):
        wrong = [f"{path}: {name}"
                 for path in sources() if layer_of(path) in LAYERS
                 for quote, name in includes(path)
                 if quote == '"' and not stands_below(path, name)]
        self.assertEqual(wrong, [])

    def test_libraries_stay_in_their_layers(self):
        wrong = [f"{path}: {name}"
                 for path in sources() if layer_of(path) in LAYERS
                 for quote, name in includes(path)
                 if quote == "<" and re.match(foreign_to(path), name)]
        self.assertEqual(wrong, [])

    def test_includes_are_rooted_at_the_repository(self):
        wrong = [f"{path}: {name}"
                 for path in sources()
                 for quote, name in includes(path)
                 if quote == '"' and not (ROOT / name).is_file()]
        self.assertEqual(wrong, [])
