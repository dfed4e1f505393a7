"""The source files as the layout tests see them."""

import pathlib
import re
import subprocess

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
LAYERS = ("crypto", "dataplane", "ctrl", "cli")
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.MULTILINE)


def tracked(*suffixes: str) -> list[pathlib.Path]:
    """Files of the repository, relative to its root, that end with one of the suffixes."""
    try:
        names = subprocess.run(["git", "ls-files"], cwd=ROOT, check=True, capture_output=True,
                               text=True).stdout.splitlines()
    except (OSError, subprocess.CalledProcessError):  # an unpacked archive
        names = [str(p.relative_to(ROOT)) for p in ROOT.rglob("*")
                 if p.is_file() and not p.relative_to(ROOT).parts[0].startswith(("build", "."))]
    return [pathlib.Path(n) for n in names if n.endswith(suffixes) and (ROOT / n).exists()]


def sources() -> list[pathlib.Path]:
    return tracked(".h", ".cc")


def layer_of(path: pathlib.Path) -> str:
    return path.parts[0]


def includes(path: pathlib.Path) -> list[tuple[str, str]]:
    """(quote, name) of each include line."""
    return INCLUDE.findall((ROOT / path).read_text())
