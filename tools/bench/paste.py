"""Puts a benchmark's output into docs/performance.md, so that no figure there is typed by hand.

    python3 tools/bench/paste.py BLOCK FILE

replaces what stands between "<!-- BLOCK -->" and "<!-- /BLOCK -->": a .md file goes in as it is, any
other as preformatted text.
"""

import pathlib
import sys

PAGE = pathlib.Path(__file__).resolve().parent.parent.parent / "docs" / "performance.md"


def replaced(page: str, block: str, content: str) -> str:
    begin, end = f"<!-- {block} -->\n", f"<!-- /{block} -->\n"
    before, found_begin, rest = page.partition(begin)
    _, found_end, after = rest.partition(end)
    if not (found_begin and found_end):
        raise SystemExit(f"{PAGE.name} has no block {block}")
    return before + begin + content + end + after


def main():
    if len(sys.argv) != 3:
        raise SystemExit(__doc__)
    block, file = sys.argv[1], pathlib.Path(sys.argv[2])
    text = file.read_text().rstrip("\n") + "\n"
    content = text if file.suffix == ".md" else f"```\n{text}```\n"
    PAGE.write_text(replaced(PAGE.read_text(), block, content))


if __name__ == "__main__":
    main()
