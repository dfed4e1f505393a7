"""Runs `meson test` in a build folder and sums up the programs' closing lines.

Each test program ends with "N passed, N failed". A program that ends otherwise, or whose exit code
says failure while its line does not, counts as one failure. Prints the output of programs that
failed, a line for each program, and the sum as last line.
"""

import json
import pathlib
import re
import subprocess
import sys

CLOSING = re.compile(r"^(\d+) passed, (\d+) failed(?:, \d+ skipped)?$", re.MULTILINE)


def main() -> int:
    folder = pathlib.Path(sys.argv[1])
    log = folder / "meson-logs" / "testlog.json"
    log.unlink(missing_ok=True)
    meson = subprocess.run(["meson", "test", "-C", str(folder), "--no-rebuild"],
                           capture_output=True, text=True, check=False)
    passed = failed = 0
    if not log.exists():  # meson did not get as far as the first program
        print(meson.stdout, meson.stderr)
        failed = 1
    for line in log.read_text().splitlines() if log.exists() else ():
        program = json.loads(line)
        output = program.get("stdout", "")
        closing = CLOSING.findall(output)
        good, bad = map(int, closing[-1]) if closing else (0, 0)
        if bad == 0 and program["returncode"] != 0:
            bad = 1
        passed += good
        failed += bad
        print(f"{program['name']}: {good} passed, {bad} failed, {program['duration']:.1f} s")
        if bad:
            print(output)
            print(program.get("stderr", ""))
            print(f"{program['name']} ended with {program['result']}, exit {program['returncode']}")
    print(f"{passed} passed, {failed} failed")
    return 0 if failed == 0 and passed > 0 else 1


if __name__ == "__main__":
    sys.exit(main())
