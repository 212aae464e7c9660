# SPDX-License-Identifier: Apache-2.0
"""The table of a conformance run."""


class Report:
    """A check that is known not to hold stands in `exceptions` with its reason. One that holds after
    all is a fault: the list may not grow stale."""

    def __init__(self, exceptions: dict):
        self.exceptions = exceptions
        self.passed, self.failed, self.skipped = 0, 0, 0
        self.faults, self.excepted, self.skips = [], [], []

    def section(self, title: str) -> None:
        print(f"\n## {title}", flush=True)

    def check(self, name: str, holds: bool, measured: str) -> None:
        reason = self.exceptions.get(name)
        if holds and reason is None:
            outcome = "ok"
            self.passed += 1
        elif not holds and reason is not None:
            outcome = "exception"
            self.excepted.append(f"{name}: {reason}. Measured: {measured}")
        else:
            outcome = "FAILED" if not holds else "FAILED: a stale exception"
            self.failed += 1
            self.faults.append(f"{name}: {measured}")
        print(f"{name:52} {outcome:9} {measured}", flush=True)

    def skip(self, name: str, why: str) -> None:
        self.skipped += 1
        self.skips.append(f"{name}: {why}")
        print(f"{name:52} skipped   {why}", flush=True)

    def close(self) -> int:
        """Prints what is left to say; the exit code."""
        print()
        for kind, lines in (("exception", self.excepted), ("skipped", self.skips), ("failed", self.faults)):
            for line in lines:
                print(f"{kind}: {line}")
        print(f"{self.passed} passed, {self.failed} failed, {len(self.excepted)} exceptions, {self.skipped} skipped")
        return 1 if self.failed or not self.passed else 0
