"""Both commands as a newcomer has them: in a fresh clone, from nothing."""

import os
import re
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

import pytest

from harness.node import BUILD, _group_alive
from harness.wait import wait_for

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def clone():
    """The tree as git has it, with what is not committed yet laid over it."""
    place = BUILD / "demo"
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard", "-z"], cwd=ROOT,
                            capture_output=True, check=True).stdout.decode().split("\0")
    for name in filter(None, listed):
        if (ROOT / name).is_file():
            (place / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, place / name)
    for words in (["init", "-q"], ["add", "-A"]):
        subprocess.run(["git", *words], cwd=place, check=True)
    assert "??" not in git_status(place)
    yield place
    shutil.rmtree(place, ignore_errors=True)


def git_status(clone):
    return subprocess.run(["git", "status", "--porcelain"], cwd=clone, capture_output=True,
                          text=True, check=True).stdout


def processes_in(folder):
    """The command lines of processes whose folder is that one."""
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        try:
            if Path(os.readlink(path / "cwd")) == folder:
                found.append((path / "cmdline").read_bytes())
        except OSError:
            pass
    return found


def run(clone, *words):
    env = {k: v for k, v in os.environ.items() if not k.startswith(("COMITY_", "ASAN", "UBSAN"))}
    return subprocess.run(["node/demo", *words], cwd=clone, env=env, capture_output=True, text=True,
                          timeout=600)


def test_the_demo_shows_what_it_should(clone):
    done = run(clone, "--once")
    assert done.returncode == 0, done.stdout + done.stderr
    text = done.stdout
    for word in ("ADMIT", "ASK", "REFUSE", "holder_proof_missing", "revoked", "comity checkin",
                 "comity pass revoke"):
        assert word in text, text
    assert re.search("[▀▄█]", text), "the QR code"
    words = [line for line in text.splitlines() if not re.search("[▀▄█]", line)]
    assert max(map(len, words)) <= 80, [line for line in words if len(line) > 80]


def test_the_second_run_reuses_the_build_and_leaves_nothing(clone):
    before = git_status(clone)
    began = time.monotonic()
    done = run(clone, "--once")
    assert done.returncode == 0, done.stdout + done.stderr
    assert time.monotonic() - began < 30
    assert git_status(clone) == before
    assert processes_in(clone) == []


def test_it_stays_up_until_interrupted(clone):
    env = {k: v for k, v in os.environ.items() if not k.startswith(("COMITY_", "ASAN", "UBSAN"))}
    output = BUILD / "demo-stays.txt"
    with open(output, "w") as out:
        child = subprocess.Popen(["node/demo"], cwd=clone, env=env, stdout=out, stderr=out,
                                 start_new_session=True, stdin=subprocess.DEVNULL)
        try:
            wait_for(lambda: "Ctrl-C ends the demo" in output.read_text() or
                     child.poll() is not None, 120, "the addresses")
            assert child.poll() is None, output.read_text()
            os.killpg(child.pid, signal.SIGINT)
            child.wait(20)
            wait_for(lambda: not _group_alive(child.pid), 10, "its nodes to end")
        finally:
            if _group_alive(child.pid):
                os.killpg(child.pid, signal.SIGKILL)
    assert "FAILED" not in output.read_text()


def test_ports_that_are_taken_are_passed_over(clone):
    held = []
    for port in (8441, 8442):
        probe = socket.socket()
        try:
            probe.bind(("127.0.0.1", port))
            probe.listen()
            held.append(probe)
        except OSError:
            probe.close()
    try:
        done = run(clone, "--once")
    finally:
        for probe in held:
            probe.close()
    assert done.returncode == 0, done.stdout + done.stderr
    assert "localhost:8441 " not in done.stdout
    assert "localhost:8443" in done.stdout


def test_a_failing_step_fails_the_demo(clone):
    """Sabotage: a program that answers nothing right."""
    program = clone / "build" / "node" / "comity"
    kept = program.with_suffix(".kept")
    program.rename(kept)
    try:
        program.write_text("#!/bin/sh\necho '{}'\n")
        program.chmod(0o755)
        os.utime(program, (kept.stat().st_atime + 5, kept.stat().st_mtime + 5))
        done = run(clone, "--once")
        assert done.returncode != 0 and "FAILED" in done.stderr, done.stdout + done.stderr
    finally:
        kept.replace(program)


def test_wrong_usage():
    done = subprocess.run(["node/demo", "--twice"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 2 and "usage" in done.stderr
