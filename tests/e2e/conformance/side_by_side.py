"""Tests that mostly wait, all at the same time: each in a thread and with peers of its own."""

import concurrent.futures

from tests.e2e.conformance.case import ConformanceCase


class SideBySideCase(ConformanceCase):
    """All tests of a class that is decorated with @side_by_side begin when the class does; each
    then tells what has become of it."""

    @classmethod
    def prepare(cls):
        super().prepare()
        pool = concurrent.futures.ThreadPoolExecutor(len(cls.bodies))
        cls.addClassCleanup(pool.shutdown)
        cls.outcomes = {name: pool.submit(cls.run_body, name) for name in cls.bodies}

    @classmethod
    def run_body(cls, name: str):
        test = cls(name)
        try:
            cls.bodies[name](test)
        finally:
            test.doCleanups()


def side_by_side(case):
    case.bodies = {name: body for name, body in vars(case).items() if name.startswith("test_")}
    for name in case.bodies:
        setattr(case, name, lambda self, name=name: self.outcomes[name].result())
    return case
