"""Runs `meson test` in a build folder, all tests or those named, and sums up the programs' closing
lines: run_unit_tests.py FOLDER [TEST]...

Each test program ends with "N passed, N failed", with ", N skipped" where there were any. A program
that ends without such a line, or whose exit code says failure while its line does not, counts as one
failure. Prints a line for each program, what it told of figures and of tests that took long, all of
its output when it failed, and the sum as last line.
"""

import json
import pathlib
import re
import subprocess
import sys

CLOSING = re.compile(r"^(\d+) passed, (\d+) failed(?:, (\d+) skipped)?$", re.MULTILINE)

# What a program tells besides: "figures: ..." and tests that took a second or more.
TELLING = re.compile(r"^(?:figures: .*|.* \(\d+\.\d s\))$", re.MULTILINE)


def counts(program: dict) -> tuple[int, int, int]:
    """Passed, failed and skipped tests of a program in meson's log."""
    closing = CLOSING.findall(program.get("stdout", ""))
    if not closing:
        return 0, 1, 0
    passed, failed, skipped = (int(n or 0) for n in closing[-1])
    return passed, failed or int(program["returncode"] != 0), skipped


def text(passed: int, failed: int, skipped: int) -> str:
    return f"{passed} passed, {failed} failed" + (f", {skipped} skipped" if skipped else "")


def main() -> int:
    folder = pathlib.Path(sys.argv[1])
    log = folder / "meson-logs" / "testlog.json"
    log.unlink(missing_ok=True)
    meson = subprocess.run(["meson", "test", "-C", str(folder), "--no-rebuild", *sys.argv[2:]],
                           capture_output=True, text=True, check=False)
    total = (0, 0, 0)
    if not log.exists():  # meson did not get as far as the first program
        print(meson.stdout, meson.stderr)
        total = (0, 1, 0)
    for line in log.read_text().splitlines() if log.exists() else ():
        program = json.loads(line)
        found = counts(program)
        total = tuple(map(sum, zip(total, found)))
        print(f"{program['name']}: {text(*found)}, {program['duration']:.1f} s")
        if found[1]:
            print(program.get("stdout", ""))
            print(program.get("stderr", ""))
            print(f"{program['name']} ended with {program['result']}, exit {program['returncode']}")
        else:
            for told in TELLING.findall(program.get("stdout", "")):
                print(f"  {told}")
    print(text(*total))
    return 0 if total[1] == 0 and total[0] > 0 else 1


if __name__ == "__main__":
    sys.exit(main())
