"""What lies in the tree, and what must not be written in it."""

import json
import re

TOP_LEVEL = {
    "node", "lib", "proto", "tests", "docs", "meson.build", "README.md", "meson.options",
    "meson_options.txt", "LICENSE", "CHANGELOG.md", "SECURITY.md", ".gitignore", ".clang-format",
    ".ci",
}

# Put together here, so that this file does not hold what it looks for.
FORBIDDEN = {
    "a registry's address": "|".join(["deb" + r"\.debian\.org", "registry" + r"\.npmjs\.org",
                                      "registry" + r"\.yarnpkg\.com", "files" + r"\.pythonhosted",
                                      "archive" + r"\.ubuntu\.com"]),
    "a path of one machine": "|".join([r"(?<![\w.])/" + r"work/", r"(?<![\w.])/" + r"tmp/",
                                       r"(?<![\w.])/home/" + r"[a-z]", r"(?<![\w.])/" + r"root/"]),
    "a note to do it later": r"\bTO" + r"DO\b|\bFIX" + r"ME\b|\bXX" + r"X\b",
}

# A test's own folder, by mkdtemp() or by TMPDIR, is no path of one machine.
TEMPORARY = re.compile(r"XXXXXX|TMPDIR|\btmp && \*tmp")


def text_of(path):
    try:
        return path.read_text()
    except UnicodeDecodeError:
        return ""


def test_only_what_belongs_lies_at_the_top(files):
    assert {name.split("/")[0] for name in files} - TOP_LEVEL == set()


def test_nothing_forbidden_is_written(files, root):
    faults = []
    for name in files:
        for number, line in enumerate(text_of(root / name).splitlines(), 1):
            for what, pattern in FORBIDDEN.items():
                if re.search(pattern, line) and not TEMPORARY.search(line):
                    faults.append(f"{name}:{number}: {what}: {line.strip()[:80]}")
    assert faults == []


def test_lockfiles_record_no_addresses(files, root):
    locks = [name for name in files if name.endswith("package-lock.json")]
    assert locks
    for name in locks:
        for path, package in json.loads((root / name).read_text())["packages"].items():
            assert "resolved" not in package, f"{name}: {path}"
            assert path == "" or package["integrity"].startswith("sha512-")


def test_scripts_are_executable(files, root):
    import os
    for name in ("node/demo", "node/setup", "tests/run", "tests/setup", ".ci/run"):
        assert os.access(root / name, os.X_OK), name


def test_text_files_are_tidy(files, root):
    """No tabs in C and Python, no blanks at the end of a line, a newline at the end of the file."""
    faults = []
    for name in files:
        if not name.endswith((".c", ".h", ".py", ".md", ".json", ".build", ".sql", ".mjs")):
            continue
        text = text_of(root / name)
        if text and not text.endswith("\n"):
            faults.append(f"{name}: no newline at the end")
        if name.endswith((".c", ".h", ".py")) and "\t" in text:
            faults.append(f"{name}: tabs")
        if not name.endswith(".md") and re.search(r"[ \t]+$", text, re.M):
            faults.append(f"{name}: blanks at the end of a line")
    assert faults == []


def test_python_of_the_tests_compiles(files, root):
    for name in files:
        if name.endswith(".py"):
            compile(text_of(root / name), name, "exec")
