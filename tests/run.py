"""Runs the Python tests of a folder: python3 tests/run.py FOLDER [-k PATTERN]...
[--slow | --load]

Prints each test's name and outcome, why it was skipped and how to make it run, and as last line
"N passed, N failed", with ", N skipped" where there were any.
"""

import argparse
import concurrent.futures
import pathlib
import re
import subprocess
import sys
import time
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent


class Result(unittest.TestResult):
    """One line a test as it ends, the details of a failure right behind it."""

    def __init__(self):
        super().__init__()
        self.passed = 0

    def startTest(self, test):
        super().startTest(test)
        self.began = time.monotonic()

    def say(self, test, outcome, detail=""):
        name = test.id().removeprefix("tests.") if hasattr(test, "id") else str(test)
        took = time.monotonic() - getattr(self, "began", time.monotonic())
        print(f"{outcome:7} {name}" + (f" ({took:.1f} s)" if took >= 1 else ""), flush=True)
        if detail:
            print(detail.rstrip(), flush=True)

    def addSuccess(self, test):
        super().addSuccess(test)
        self.passed += 1
        self.say(test, "ok")

    def addFailure(self, test, err):
        super().addFailure(test, err)
        self.say(test, "FAILED", self.failures[-1][1])

    def addError(self, test, err):
        super().addError(test, err)
        self.say(test, "FAILED", self.errors[-1][1])

    def addSubTest(self, test, subtest, err):
        super().addSubTest(test, subtest, err)
        if err is not None:
            self.say(subtest, "FAILED", self._exc_info_to_string(err, test))

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        self.say(test, "skipped", f"        {reason}")


def chosen(suite, patterns):
    for item in suite:
        if isinstance(item, unittest.TestSuite):
            yield from chosen(item, patterns)
        elif not patterns or any(p in item.id() for p in patterns):
            yield item


def closing_line(passed: int, failed: int, skipped: int) -> str:
    return f"{passed} passed, {failed} failed" + (f", {skipped} skipped" if skipped else "")


def run_files_at_once(files, arguments) -> tuple[int, int, int]:
    """Each in a process of its own: tests that mostly wait do so together. One that ends without a
    closing line has died: a failure more. Passed, failed, skipped."""
    def run(file):
        return subprocess.run([sys.executable, __file__, *arguments, "--file", file.name],
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    total = (0, 0, 0)
    with concurrent.futures.ThreadPoolExecutor(max(len(files), 1)) as pool:
        for done in pool.map(run, files):
            text, _, last = done.stdout.rstrip().rpartition("\n")
            closing = re.fullmatch(r"(\d+) passed, (\d+) failed(?:, (\d+) skipped)?", last)
            print(text if closing else done.stdout, flush=True)
            counts = tuple(int(n or 0) for n in closing.groups()) if closing else (0, 1, 0)
            total = tuple(map(sum, zip(total, counts)))
    return total


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("-k", dest="patterns", action="append", default=[], metavar="PATTERN",
                        help="only tests whose name holds PATTERN")
    parser.add_argument("--slow", action="store_true",
                        help="the tests of *_slow.py, which mostly wait, instead of *_test.py; all"
                             " files at once")
    parser.add_argument("--load", action="store_true",
                        help="the tests of *_load.py, which want the machine for themselves")
    parser.add_argument("--file", metavar="NAME", help="only the tests of this file")
    options = parser.parse_args()
    kind = "slow" if options.slow else "load" if options.load else "test"
    sys.path.insert(0, str(ROOT))
    folder = options.folder.resolve()
    if options.slow and options.file is None:
        total = run_files_at_once(sorted(folder.rglob(f"*_{kind}.py")), sys.argv[1:])
        print(closing_line(*total))
        return 0 if total[1] == 0 else 1
    suite = unittest.TestLoader().discover(str(folder), top_level_dir=str(ROOT),
                                           pattern=options.file or f"*_{kind}.py")
    result = Result()
    unittest.TestSuite(chosen(suite, options.patterns)).run(result)
    failed = len(result.failures) + len(result.errors)
    print(closing_line(result.passed, failed, len(result.skipped)))
    return 0 if failed == 0 else 1


if __name__ == "__main__":
    sys.exit(main())
