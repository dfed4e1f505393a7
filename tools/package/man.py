"""Writes man pages of relayd, relayctl and relaygen from what they say of themselves with --help.

Usage: man.py BUILD FOLDER      writes FOLDER/man1/relayctl.1, FOLDER/man8/relayd.8, ...
"""

import pathlib
import re
import subprocess
import sys
from dataclasses import dataclass


@dataclass
class Page:
    program: str  # within the build
    section: int
    what: str  # a line of "apropos"

    @property
    def name(self) -> str:
        return pathlib.Path(self.program).name


PAGES = [
    Page("cli/relayctl", 1, "look at and change a running Wirelay relay"),
    Page("tools/relaygen/relaygen", 1, "traffic generator for anything that speaks WireGuard"),
    Page("ctrl/relayd", 8, "WireGuard relay in user space, for many users"),
]
SEE_ALSO = {
    "relayctl": "relayd(8), wg(8)",
    "relaygen": "relayd(8), relayctl(1)",
    "relayd": "relayctl(1), wg(8); the example configurations in /usr/share/doc/wirelay/examples",
}
# A command in a list of them: two spaces, its words and arguments, two spaces, what it does.
COMMAND = re.compile(r"^  ((?:[a-z][a-z-]*)(?: [a-z][a-z-]*)?)(?: [A-Z][^ ]*)*  +\S")


def said(program: pathlib.Path, *arguments: str) -> str:
    return subprocess.run([program, *arguments], check=True, capture_output=True, text=True).stdout


def escaped(line: str) -> str:
    line = line.replace("\\", "\\e").replace("-", "\\-").rstrip()
    return "\\&" + line if line.startswith((".", "'")) else line


def verbatim(lines: list[str]) -> list[str]:
    """As it stands: help is laid out for a terminal already."""
    while lines and not lines[0].strip():
        lines = lines[1:]
    while lines and not lines[-1].strip():
        lines = lines[:-1]
    return [".nf", *map(escaped, lines), ".fi"] if lines else []


def sections(text: str) -> list[tuple[str, list[str]]]:
    """Parts of a help text: the lines under a heading, which ends with a colon; before the first
    under "Description". A line "Usage: ..." is a part of its own."""
    parts: list[tuple[str, list[str]]] = [("Description", [])]
    for line in text.splitlines():
        heading = re.match(r"^([A-Z][A-Za-z ]*):(?: +(.*))?$", line)
        if heading:
            parts.append((heading[1], [heading[2]] if heading[2] else []))
        else:
            parts[-1][1].append(line.removeprefix("       ") if parts[-1][0] == "Usage" else line)
    return [(name, lines) for name, lines in parts if any(line.strip() for line in lines)]


def commands(text: str) -> list[str]:
    return [match[1] for line in text.splitlines() if (match := COMMAND.match(line))]


def page(build: pathlib.Path, of: Page, version: str) -> str:
    program = build / of.program
    text = said(program, "--help")
    lines = [f'.TH {of.name.upper()} {of.section} "" "Wirelay {version}" "Wirelay"',
             ".SH NAME", f"{of.name} \\- {escaped(of.what)}"]
    parts = sections(text)
    for name, body in parts:
        if name == "Description" and body[0].startswith(of.name):
            body = body[1:]
        if shown := verbatim(body):
            lines += [f".SH {'SYNOPSIS' if name == 'Usage' else escaped(name.upper())}", *shown]
    for command in commands(text):
        lines += [f'.SH "{escaped(of.name + " " + command).upper()}"']
        for name, body in sections(said(program, *command.split(), "--help")):
            if name != "Description":
                lines.append(f".SS {escaped(name)}")
            lines += verbatim(body)
    lines += [".SH SEE ALSO", escaped(SEE_ALSO[of.name])]
    return "\n".join(lines) + "\n"


def main() -> None:
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    build, folder = map(pathlib.Path, sys.argv[1:])
    version = said(build / "ctrl/relayd", "--version").split()[-1]
    for of in PAGES:
        file = folder / f"man{of.section}" / f"{of.name}.{of.section}"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(page(build, of, version))


main()
