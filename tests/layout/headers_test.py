"""Protects that every header compiles alone: whoever includes it needs no other line before it.

A compiler that is started once for each header parses others' headers again and again. So those that
include one another share a run. The first is compiled alone. Behind it comes one that includes it, and
all that it includes: what stands in front adds nothing that the second does not bring itself, and as
includes stand above all else, the second's own lines are read just as they are when it is alone.
"""

import concurrent.futures
import functools
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

from tests.layout.source_tree import ROOT, includes, tracked

COMPILER = "clang++" if shutil.which("clang++") else "g++"  # the quicker one, by a quarter

LIBRARIES = ["libdpdk", "libsodium", "libb2", "jsoncpp", "RapidJSON", "libevent", "fmt", "cppunit"]


def flags() -> list[str]:
    found = subprocess.run(["pkg-config", "--cflags", *LIBRARIES], check=True, capture_output=True,
                           text=True).stdout.split()
    # Others' headers are system headers: their warnings are not ours.
    return [f.replace("-I", "-isystem", 1) if f.startswith("-I") else f for f in found]


def compiler(*arguments) -> subprocess.CompletedProcess:
    return subprocess.run([COMPILER, "-std=c++20", "-Wall", "-Wextra", "-Werror", "-I", str(ROOT),
                           *arguments], capture_output=True, text=True)


def compile_in_turn(headers, library_flags) -> str:
    """What the compiler says of these, one behind the other; empty when all is well."""
    forced = [word for header in headers for word in ("-include", str(ROOT / header))]
    done = compiler(*library_flags, "-fsyntax-only", "-x", "c++", *forced, os.devnull)
    return "" if done.returncode == 0 else f"{', '.join(map(str, headers))}:\n{done.stderr[:2000]}"


@functools.cache
def included(header: str) -> frozenset[str]:
    """All that `header` includes, by itself or by way of ours."""
    found = set()
    for quote, name in includes(pathlib.Path(header)):
        found.add(quote + name)
        if quote == '"':
            found |= included(name)
    return frozenset(found)


def chains(headers) -> list[list[str]]:
    """Each header once; in a chain, each includes the one in front of it and all that that includes."""
    made = []
    for header in sorted(map(str, headers), key=lambda h: (len(included(h)), h)):
        fitting = [c for c in made if included(c[-1]) | {'"' + c[-1]} <= included(header)]
        if fitting:
            max(fitting, key=lambda c: len(included(c[-1]))).append(header)
        else:
            made.append([header])
    return made


def compile_all_alone(headers, library_flags) -> list[str]:
    """What the compiler says of each chain."""
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        return list(pool.map(lambda chain: compile_in_turn(chain, library_flags), chains(headers)))


def proven_by_the_build() -> set[str]:
    """Headers that some source includes before all else: it would not compile otherwise. But only
    where sources are compiled each for itself (data_path_options in meson.build)."""
    first = (includes(source)[:1] for source in tracked(".cc")
             if source.parts[0] in ("crypto", "dataplane"))
    return {name for found in first for quote, name in found if quote == '"'}


class HeadersTest(unittest.TestCase):
    def test_every_header_compiles_alone(self):
        proven = proven_by_the_build()
        headers = [h for h in tracked(".h") if str(h) not in proven]
        self.assertGreater(len(proven) + len(headers), 100)
        self.assertEqual(sorted(h for chain in chains(headers) for h in chain),
                         sorted(map(str, headers)))
        self.assertEqual("\n".join(filter(None, compile_all_alone(headers, flags()))), "")

    def test_a_missing_include_is_found(self):
        with tempfile.TemporaryDirectory() as folder:
            header = pathlib.Path(folder) / "name.h"
            header.write_text("#pragma once\nstd::string name();\n")
            self.assertIn("name.h", compile_in_turn([header], flags()))
            header.write_text("#pragma once\n#include <string>\nstd::string name();\n")
            self.assertEqual(compile_in_turn([header], flags()), "")

    def test_a_chain_adds_nothing(self):
        for chain in chains(tracked(".h")):
            for before, header in zip(chain, chain[1:]):
                self.assertIn('"' + before, included(header))
                self.assertLessEqual(included(before), included(header))

    def test_includes_stand_above_all_else(self):
        for header in tracked(".h"):
            text = re.sub(r"//[^\n]*|/\*.*?\*/", "", (ROOT / header).read_text(), flags=re.DOTALL)
            lines = [line.strip() for line in text.splitlines() if line.strip()]
            first = next((i for i, line in enumerate(lines) if not line.startswith("#")), 0)
            self.assertEqual([line for line in lines[first:] if line.startswith("#include")], [],
                             header)

    def test_every_header_is_guarded(self):
        self.assertEqual([str(h) for h in tracked(".h")
                          if "#pragma once" not in (ROOT / h).read_text()], [])
