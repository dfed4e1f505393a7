"""What another process's memory holds."""

import pathlib
import struct

PAGE = 4096
PRESENT = 1 << 63  # proc_pid_pagemap(5)
CHUNK = 1 << 20


def touched(pid: int, begin: int, end: int):
    """The runs of pages that are in memory: tables are mapped for more than ever is there."""
    with open(f"/proc/{pid}/pagemap", "rb", buffering=0) as pagemap:
        first = None
        for at in range(begin, end, CHUNK):
            pages = (min(at + CHUNK, end) - at) // PAGE
            pagemap.seek(at // PAGE * 8)
            entries = struct.unpack(f"{pages}Q", pagemap.read(pages * 8))
            for i, entry in enumerate(entries):
                here = at + i * PAGE
                if entry & PRESENT:
                    first = here if first is None else first
                elif first is not None:
                    yield first, here
                    first = None
        if first is not None:
            yield first, end


def count_in_memory(pid: int, text: bytes) -> int:
    """How often `text` stands in what the process can write to: heap, stacks, data."""
    found = 0
    with open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
        for line in pathlib.Path(f"/proc/{pid}/maps").read_text().splitlines():
            span, rights = line.split()[:2]
            if not rights.startswith("rw"):
                continue
            for begin, end in touched(pid, *(int(x, 16) for x in span.split("-"))):
                memory.seek(begin)
                try:
                    found += memory.read(end - begin).count(text)
                except OSError:  # a device's memory
                    continue
    return found
