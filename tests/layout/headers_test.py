"""Protects that every header compiles alone: whoever includes it needs no other line before it."""

import concurrent.futures
import os
import pathlib
import subprocess
import tempfile
import unittest

from tests.layout.source_tree import ROOT, includes, tracked

LIBRARIES = ["libdpdk", "libsodium", "libb2", "jsoncpp", "RapidJSON", "libevent", "fmt", "cppunit"]


def flags() -> list[str]:
    found = subprocess.run(["pkg-config", "--cflags", *LIBRARIES], check=True, capture_output=True,
                           text=True).stdout.split()
    # Others' headers are system headers: their warnings are not ours.
    return [f.replace("-I", "-isystem", 1) if f.startswith("-I") else f for f in found]


def compile_alone(header, library_flags) -> str:
    """What the compiler says; empty when all is well."""
    done = subprocess.run(
        ["g++", "-std=c++20", "-fsyntax-only", "-Wall", "-Wextra", "-Werror", "-I", str(ROOT),
         *library_flags, "-x", "c++", "-include", str(ROOT / header), os.devnull],
        capture_output=True, text=True)
    return "" if done.returncode == 0 else f"{header}:\n{done.stderr[:2000]}"


def has_precompiled_header(source: pathlib.Path) -> bool:
    return any((ROOT / folder / "pch").is_dir() for folder in source.parents)


def proven_by_the_build() -> set[str]:
    """Headers that some source includes before all else: it would not compile otherwise. But where
    there is a precompiled header, it hides what they lack."""
    first = (includes(source)[:1] for source in tracked(".cc") if not has_precompiled_header(source))
    return {name for found in first for quote, name in found if quote == '"'}


class HeadersTest(unittest.TestCase):
    def test_every_header_compiles_alone(self):
        proven = proven_by_the_build()
        headers = [h for h in tracked(".h") if str(h) not in proven]
        self.assertGreater(len(proven) + len(headers), 100)
        library_flags = flags()
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            said = list(pool.map(lambda h: compile_alone(h, library_flags), headers))
        self.assertEqual("\n".join(s for s in said if s), "")

    def test_a_missing_include_is_found(self):
        with tempfile.TemporaryDirectory() as folder:
            header = pathlib.Path(folder) / "name.h"
            header.write_text("#pragma once\nstd::string name();\n")
            self.assertIn("name.h", compile_alone(header, flags()))
            header.write_text("#pragma once\n#include <string>\nstd::string name();\n")
            self.assertEqual(compile_alone(header, flags()), "")

    def test_every_header_is_guarded(self):
        self.assertEqual([str(h) for h in tracked(".h")
                          if "#pragma once" not in (ROOT / h).read_text()], [])
