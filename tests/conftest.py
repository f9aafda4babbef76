"""Nodes, peers and a certificate authority for whoever asks; all of it ends with the test."""

import shutil
import sys
import tempfile
from pathlib import Path

import pytest

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parent))

from harness.ca import TrialCA  # noqa: E402
from harness.node import BINARY, BUILD, Node  # noqa: E402
from harness.peer import FakePeer  # noqa: E402


def _folder():
    parent = BUILD / "run"
    parent.mkdir(parents=True, exist_ok=True)
    return Path(tempfile.mkdtemp(dir=parent, prefix=""))  # short: a socket's path has 107 bytes


@pytest.fixture
def folder():
    made = _folder()
    yield made
    shutil.rmtree(made, ignore_errors=True)


@pytest.fixture(scope="session")
def ca():
    made = _folder()
    yield TrialCA(made)
    shutil.rmtree(made, ignore_errors=True)


class _World:
    """Makes nodes and peers, and ends them."""

    def __init__(self, folder, ca):
        self.folder, self.ca, self.nodes, self.peers = folder, ca, [], []
        assert BINARY.exists(), f"{BINARY} is not built"

    def node(self, host="lisbon.localhost", serve=False, **options):
        made = Node(self.folder / f"n{len(self.nodes)}", self.ca, host, **options)
        self.nodes.append(made)
        return made.serve() if serve else made

    def pair(self, serve=True):
        """Lisbon (home) and Berlin (host), peers of each other."""
        home = self.node("lisbon.localhost", serve=True)
        host = self.node("berlin.localhost", serve=True, zone="Europe/Berlin")
        host.peer(home)
        home.peer(host)
        if not serve:
            home.stop()
            host.stop()
        return home, host

    def peer(self, host="mallory.localhost", **options):
        made = FakePeer(self.ca, host, **options)
        self.peers.append(made)
        return made

    def end(self):
        faults = []
        for made in self.nodes:
            try:
                made.close()
            except Exception as fault:
                faults.append(fault)
        for made in self.peers:
            made.stop()
        if faults:
            raise faults[0]


@pytest.fixture
def world(folder, ca):
    made = _World(folder, ca)
    yield made
    made.end()


@pytest.fixture(scope="module")
def shared_world(ca):
    """For tests that only look: one set of nodes for a whole file."""
    made = _folder()
    world = _World(made, ca)
    yield world
    world.end()
    shutil.rmtree(made, ignore_errors=True)


@pytest.hookimpl(tryfirst=True, hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """A failed test shows the ends of its nodes' logs."""
    outcome = yield
    report = outcome.get_result()
    made = item.funcargs.get("world") or item.funcargs.get("shared_world")
    if report.failed and made:
        for node in made.nodes:
            report.sections.append((f"log of {node.url}", node.log()[-4000:]))
