"""Huge pages for the time of a lab: reserved when the machine has them to give."""

import contextlib
import pathlib

SETTING = pathlib.Path("/proc/sys/vm/nr_hugepages")


class HugePages:
    """`note`: a file that remembers how many pages there were, for whoever cleans up."""

    def __init__(self, note: pathlib.Path):
        self.note = note

    def reserve(self, pages: int) -> bool:
        """Sees to at least `pages` of 2 MiB. False, and nothing changed, when there are not."""
        try:
            before = int(SETTING.read_text())
            if before >= pages:
                return True
            self.note.write_text(str(before))
            SETTING.write_text(str(pages))
            if int(SETTING.read_text()) >= pages:
                return True
        except OSError:  # a kernel without huge pages, or a setting that may not be written
            pass
        self.give_back()
        return False

    def give_back(self):
        if not self.note.exists():
            return
        before = self.note.read_text()
        self.note.unlink()
        with contextlib.suppress(OSError):
            SETTING.write_text(before)
