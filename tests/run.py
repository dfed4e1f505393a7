"""Runs the Python tests of a folder: python3 tests/run.py FOLDER [-k PATTERN]...
[--slow | --load]

Prints each test's name and outcome, why it was skipped and how to make it run, and as last line
"N passed, N failed", with ", N skipped" where there were any.
"""

import argparse
import pathlib
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


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("-k", dest="patterns", action="append", default=[], metavar="PATTERN",
                        help="only tests whose name holds PATTERN")
    parser.add_argument("--slow", action="store_true",
                        help="the tests of *_slow.py, which mostly wait, instead of *_test.py")
    parser.add_argument("--load", action="store_true",
                        help="the tests of *_load.py, which want the machine for themselves")
    options = parser.parse_args()
    kind = "slow" if options.slow else "load" if options.load else "test"
    sys.path.insert(0, str(ROOT))
    folder = options.folder.resolve()
    suite = unittest.TestLoader().discover(str(folder), top_level_dir=str(ROOT),
                                           pattern=f"*_{kind}.py")
    result = Result()
    unittest.TestSuite(chosen(suite, options.patterns)).run(result)
    failed = len(result.failures) + len(result.errors)
    line = f"{result.passed} passed, {failed} failed"
    print(line + (f", {len(result.skipped)} skipped" if result.skipped else ""))
    return 0 if failed == 0 else 1


if __name__ == "__main__":
    sys.exit(main())
