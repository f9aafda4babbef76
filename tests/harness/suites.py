"""Builds, runs every suite, and adds up. Started by tests/run, which see."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import xml.etree.ElementTree as ElementTree
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / "build-test"
MESON_OPTIONS = ["-Db_sanitize=address,undefined", "-Db_lundef=false", "-Dtests=true",
                 "-Dwerror_ci=true"]
SANITIZERS = {
    "ASAN_OPTIONS": "halt_on_error=1:abort_on_error=0:detect_leaks=1:strict_string_checks=1",
    "UBSAN_OPTIONS": "halt_on_error=1:print_stacktrace=1",
}


class Tally:
    """What a suite brought."""

    def __init__(self, passed=0, failed=0, skipped=0):
        self.passed, self.failed, self.skipped = passed, failed, skipped

    def __iadd__(self, other):
        self.passed += other.passed
        self.failed += other.failed
        self.skipped += other.skipped
        return self


def environment():
    env = dict(os.environ, **SANITIZERS)
    env["PYTHONDONTWRITEBYTECODE"] = "1"
    env["COMITY_BUILD"] = str(BUILD)
    env["TMPDIR"] = str(BUILD / "tmp")  # tests leave nothing elsewhere, also when they are killed
    for name in ("COMITY_STATE", "COMITY_TRIAL_CLOCK", "http_proxy", "https_proxy", "all_proxy"):
        env.pop(name, None)
    return env


def run(command, **kwargs):
    """Runs a command in a process group of its own, which is ended with us."""
    child = subprocess.Popen(command, cwd=ROOT, start_new_session=True, **kwargs)
    try:
        output, _ = child.communicate()
    finally:
        try:
            os.killpg(child.pid, signal.SIGTERM)
        except ProcessLookupError:
            pass
    return child.returncode, output


def build():
    if not (BUILD / "build.ninja").exists():
        code, _ = run(["meson", "setup", str(BUILD), *MESON_OPTIONS], stdout=subprocess.DEVNULL)
        if code != 0:
            shutil.rmtree(BUILD, ignore_errors=True)
            return False
    (BUILD / "tmp").mkdir(exist_ok=True)
    code, text = run(["ninja", "-C", str(BUILD)], stdout=subprocess.PIPE, text=True)
    if code != 0:
        print("\n".join(line for line in text.splitlines() if not line.startswith("[")))
    return code == 0


def count_cmocka(text, returncode):
    """One executable's cmocka groups; one test if it is none of cmocka's."""
    passed = sum(map(int, re.findall(r"^\[  PASSED  \] (\d+) test", text, re.M)))
    failed = sum(map(int, re.findall(r"^\[  FAILED  \] (\d+) test", text, re.M)))
    skipped = sum(map(int, re.findall(r"^\[  SKIPPED \] (\d+) test", text, re.M)))
    if passed + failed == 0:
        passed = 1 if returncode == 0 else 0
    if returncode != 0 and failed == 0:
        failed = 1  # it crashed, leaked or ran out of time
    return Tally(passed, failed, skipped)


def suite_unit():
    total = Tally()
    log = BUILD / "meson-logs" / "testlog.json"
    log.unlink(missing_ok=True)
    run(["meson", "test", "-C", str(BUILD), "--no-rebuild", "--num-processes",
         str(os.cpu_count() or 2)], stdout=subprocess.DEVNULL, env=environment())
    if not log.exists():
        print("unit: meson test did not run")
        return Tally(failed=1)
    for line in log.read_text().splitlines():
        result = json.loads(line)
        text = (result.get("stdout") or "") + "\n" + (result.get("stderr") or "")
        one = count_cmocka(text, result["returncode"])
        if result["result"] not in ("OK", "SKIP") and one.failed == 0:
            one.failed = 1
        if one.failed:
            print(f"--- {result['name']}: {result['result']}")
            print(text[-6000:])
        total += one
    return total


def pytest_tally(report):
    total = Tally()
    for suite in ElementTree.parse(report).getroot().iter("testsuite"):
        tests, skipped = int(suite.get("tests")), int(suite.get("skipped"))
        failed = int(suite.get("failures")) + int(suite.get("errors"))
        total += Tally(tests - failed - skipped, failed, skipped)
    return total


def suite_pytest(name, workers=0):
    report = BUILD / f"pytest-{name}.xml"
    report.unlink(missing_ok=True)
    command = ["/usr/bin/python3", "-m", "pytest", "-q", "-p", "no:cacheprovider", "--tb=short",
               "--no-header", f"--junitxml={report}", "-c", str(ROOT / "tests" / "pytest.ini"),
               str(ROOT / "tests" / name)]
    if workers:
        command += ["-n", str(workers)]
    code, _ = run(command, env=environment())
    if not report.exists():
        print(f"{name}: pytest did not run")
        return Tally(failed=1)
    total = pytest_tally(report)
    if code != 0 and total.failed == 0:
        total.failed = 1
    return total


def untracked():
    """What lies in the tree and is neither tracked nor ignored."""
    if not (ROOT / ".git").exists():
        return set()
    listed = subprocess.run(["git", "ls-files", "-o", "--exclude-standard"], cwd=ROOT,
                            capture_output=True, text=True).stdout
    return set(listed.splitlines())


SUITES = {
    "unit": suite_unit,
    "lint": lambda: suite_pytest("lint"),
    "interop": lambda: suite_pytest("interop"),
    "e2e": lambda: suite_pytest("e2e", workers=4),
    "demo": lambda: suite_pytest("demo"),
}


def main(names):
    unknown = [name for name in names if name not in SUITES]
    if unknown:
        print(f"no suite {unknown[0]}; there are {', '.join(SUITES)}", file=sys.stderr)
        return 2
    total = Tally()
    started = time.monotonic()
    lay_there = untracked()
    if not build():
        print("the build failed")
        print("0 passed, 1 failed")
        return 1
    print(f"built in {time.monotonic() - started:.0f} s", flush=True)
    for name in names or SUITES:
        started = time.monotonic()
        try:
            tally = SUITES[name]()
        except Exception as error:  # a suite that cannot run is a failure, and the others still run
            print(f"{name}: {error}")
            tally = Tally(failed=1)
        print(f"{name}: {tally.passed} passed, {tally.failed} failed, {tally.skipped} skipped, "
              f"{time.monotonic() - started:.0f} s", flush=True)
        total += tally
    left = untracked() - lay_there
    if left:
        print(f"left in the tree: {', '.join(sorted(left))}")
    total += Tally(failed=1) if left else Tally(passed=1)
    print(f"{total.passed} passed, {total.failed} failed")
    return 1 if total.failed or not total.passed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
