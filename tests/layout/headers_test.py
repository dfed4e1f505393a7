"""Protects that every header compiles alone: whoever includes it needs no other line before it."""

import collections
import concurrent.futures
import os
import pathlib
import subprocess
import tempfile
import unittest

from tests.layout.source_tree import ROOT, includes, tracked

LIBRARIES = ["libdpdk", "libsodium", "libb2", "jsoncpp", "RapidJSON", "libevent", "fmt", "cppunit"]
# Others' headers that take long to parse. Those that many of our headers include anyway are parsed
# ahead for them.
SLOW = {"boost/program_options.hpp", "functional", "json/value.h", "memory", "rte_ether.h",
        "rte_mbuf.h", "string"}
WORTH_PARSING_AHEAD = 3


def flags() -> list[str]:
    found = subprocess.run(["pkg-config", "--cflags", *LIBRARIES], check=True, capture_output=True,
                           text=True).stdout.split()
    # Others' headers are system headers: their warnings are not ours.
    return [f.replace("-I", "-isystem", 1) if f.startswith("-I") else f for f in found]


def compiler(*arguments) -> subprocess.CompletedProcess:
    return subprocess.run(["g++", "-std=c++20", "-Wall", "-Wextra", "-Werror", "-I", str(ROOT),
                           *arguments], capture_output=True, text=True)


def compile_alone(header, library_flags, ahead=None) -> str:
    """What the compiler says; empty when all is well. `ahead`: what parse_ahead() made of headers
    that `header` includes."""
    # A precompiled header is taken only where nothing is included before it.
    first = ["-Winvalid-pch", "-include", str(ahead)] if ahead else []
    done = compiler(*first, *library_flags, "-fsyntax-only", "-x", "c++",
                    "-include", str(ROOT / header), os.devnull)
    return "" if done.returncode == 0 else f"{header}:\n{done.stderr[:2000]}"


def parse_ahead(names, library_flags, folder) -> pathlib.Path:
    """A precompiled header that includes others' headers of these names."""
    header = pathlib.Path(folder) / (".".join(sorted(names)).replace("/", "_") + ".ahead")
    header.write_text("".join(f"#include <{name}>\n" for name in sorted(names)))
    compiler(*library_flags, "-x", "c++-header", str(header),
             "-o", f"{header}.gch").check_returncode()
    return header


def slow_ones(header, seen=None) -> frozenset[str]:
    """The slow headers that `header` includes, by itself or by way of ours."""
    seen = set() if seen is None else seen
    if str(header) in seen:
        return frozenset()
    seen.add(str(header))
    found = set()
    for quote, name in includes(header):
        found |= {name} & SLOW if quote == "<" else slow_ones(pathlib.Path(name), seen)
    return frozenset(found)


def compile_all_alone(headers, library_flags) -> list[str]:
    """What the compiler says of each."""
    alike = collections.defaultdict(list)
    for header in headers:
        alike[slow_ones(header)].append(header)
    with (concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool,
          tempfile.TemporaryDirectory() as folder):
        ahead = {names: pool.submit(parse_ahead, names, library_flags, folder)
                 for names, group in alike.items()
                 if names and len(group) >= WORTH_PARSING_AHEAD}
        done = [pool.submit(compile_alone, header, library_flags,
                            ahead[names].result() if names in ahead else None)
                for names, group in alike.items() for header in group]
        return [d.result() for d in done]


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
        said = compile_all_alone(headers, flags())
        self.assertEqual(len(said), len(headers))
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
