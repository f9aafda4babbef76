"""Waiting for conditions. Nothing in the tests sleeps for a time and hopes."""

import time


class Timeout(AssertionError):
    pass


def wait_for(condition, timeout=20.0, what="a condition", interval=0.05):
    """Calls condition() until it returns something true, and returns that."""
    deadline = time.monotonic() + timeout
    while True:
        last = condition()
        if last:
            return last
        if time.monotonic() > deadline:
            raise Timeout(f"waited {timeout:g} s for {what}; last seen: {last!r}")
        time.sleep(interval)
