"""The node between its first moment and its last: signals and children that do not wait for it."""

import os
import signal
from pathlib import Path

from harness.wait import wait_for


def children(pid):
    try:
        return [int(p) for p in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except FileNotFoundError:
        return []


def signer_of(node):
    """Its process, as soon as there is one."""
    wait_for(lambda: children(node.process.pid), 10, "the signer")
    return children(node.process.pid)[0]


def test_signals_that_come_too_early_are_heard(world):
    node = world.node("lisbon.localhost").serve(wait=False)
    signer_of(node)
    node.process.send_signal(signal.SIGHUP)
    node.wait_ready()
    wait_for(lambda: "certificates were read again" in node.log(), 10, "the reload")
    assert node.stop() == 0
    node.serve(wait=False)
    signer_of(node)
    assert node.stop() == 0, node.log()


def test_a_signer_that_ends_early_ends_the_node(world):
    for _ in range(5):
        node = world.node("lisbon.localhost").serve(wait=False)
        os.kill(signer_of(node), signal.SIGKILL)
        assert node.process.wait(20) == 1, node.log()
        node.process = None
        assert "signer" in node.log()
