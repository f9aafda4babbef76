"""The house rules of docs/ARCHITECTURE.md, as tests over the sources."""

import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

def tracked():
    """All files that git knows, or would take; without git (a release archive) all but builds."""
    try:
        listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT,
                                capture_output=True, text=True, check=True).stdout.splitlines()
    except (OSError, subprocess.CalledProcessError):
        listed = [str(path.relative_to(ROOT)) for path in ROOT.rglob("*") if path.is_file()]
        listed = [name for name in listed if not name.startswith(("build", ".git/"))]
    return sorted(name for name in listed if (ROOT / name).is_file())


@pytest.fixture(scope="session")
def files():
    return tracked()


@pytest.fixture(scope="session")
def sources(files):
    """Path -> text of the C files of lib/ and node/."""
    return {name: (ROOT / name).read_text() for name in files
            if name.startswith(("lib/", "node/")) and name.endswith((".c", ".h"))}


@pytest.fixture(scope="session")
def root():
    return ROOT
