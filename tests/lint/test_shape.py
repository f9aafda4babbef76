"""Sizes of functions and files, comments of headers, and calls that a library does not make."""

import re
import shutil
import subprocess

import pytest

from harness.node import BUILD

FUNCTION_LINES, FILE_LINES = 80, 600

# What nothing in lib/ may call: the clock, the streams, the environment, the end of the process.
FORBIDDEN_IN_LIB = {
    "time", "clock_gettime", "gettimeofday", "localtime", "localtime_r", "gmtime", "gmtime_r",
    "mktime", "strftime", "tzset", "printf", "fprintf", "vfprintf", "puts", "putchar", "perror",
    "__printf_chk", "__fprintf_chk", "syslog", "exit", "_exit", "quick_exit", "getenv",
    "secure_getenv", "setenv", "rand", "srand", "random", "sleep", "usleep", "nanosleep",
    "strcat", "sprintf", "gets", "strtok", "system", "popen",
}
# base/tz.c asks for the name of the system's time zone.
ALLOWED_IN_LIB = {"base_tz_system": {"getenv"}}

# Symbols of third parties -> the archive members (floor_file) that may refer to them.
ROOMS = {
    r"sqlite3_": r"store_sqlite",
    r"json_(loadb?|dumps|dumpb|object_set|object_get|integer|delete|unpack|pack)|jsonp_":
        r"base_json",
    r"curl_": r"$^",
    r"event_|evbuffer_|bufferevent_": r"$^",
    r"(EVP|BN|EC|ECDSA|ERR|RAND|OSSL|OPENSSL|PEM|BIO|HMAC|SHA256)_": r"crypto_",
    r"(inflate|deflate|compress|uncompress)": r"base_flate",
    r"QR(code|input)_": r"cred_qr",
    r"ini_parse": r"$^",
}


def functions(text):
    """(line, length) of each function: in this style its braces stand in the first column."""
    start = None
    for number, line in enumerate(text.splitlines(), 1):
        if line == "{":
            start = number
        elif line == "}" and start:
            yield start, number - start + 1
            start = None


def test_functions_fit_a_screen(sources):
    assert [f"{path}:{line} has {length} lines" for path, text in sources.items()
            for line, length in functions(text) if length > FUNCTION_LINES] == []


def test_files_have_a_size(sources):
    assert [path for path, text in sources.items()
            if text.count("\n") > FILE_LINES] == []


def test_long_functions_would_be_found():
    text = "int f(void)\n{\n" + "    g();\n" * FUNCTION_LINES + "}\n"
    assert [length for _, length in functions(text)] == [FUNCTION_LINES + 2]


def test_headers_say_what_they_are_for(sources):
    assert [path for path, text in sources.items()
            if path.endswith(".h") and not text.startswith("/*")] == []


def test_headers_are_guarded(sources):
    assert [path for path, text in sources.items()
            if path.endswith(".h") and "#pragma once" not in text] == []


def test_no_unbounded_copies_in_the_sources(sources):
    """In the sources, since a compiler makes strcpy() of snprintf() by itself."""
    assert [f"{path}: {found}" for path, text in sources.items()
            for found in re.findall(r"\b(?:strcpy|strcat|sprintf|gets|strncpy|alloca)\s*\(", text)
            ] == []


@pytest.fixture(scope="module")
def undefined():
    """Archive member -> the symbols that it needs from elsewhere, for all of lib/."""
    archive = BUILD / "lib" / "libcomity.a"
    assert archive.exists(), "lib/ is not built"
    listed = subprocess.run(["nm", "-A", "-u", str(archive)], capture_output=True, text=True,
                            check=True).stdout
    found = {}
    for line in listed.splitlines():
        where, _, symbol = line.rpartition(" ")
        member = re.search(r"([A-Za-z0-9_-]+)\.c\.o", where)
        found.setdefault(member.group(1), set()).add(symbol)
    assert len(found) > 10
    return found


def test_libraries_neither_print_nor_exit_nor_read_the_clock(undefined):
    assert [f"{member} calls {symbol}" for member, symbols in undefined.items()
            for symbol in sorted(symbols & FORBIDDEN_IN_LIB - ALLOWED_IN_LIB.get(member, set()))
            ] == []


def test_symbols_of_third_parties_stay_in_their_rooms(undefined):
    faults = []
    for member, symbols in undefined.items():
        for pattern, room in ROOMS.items():
            if not re.match(room, member):
                faults += [f"{member} uses {s}" for s in symbols if re.match(pattern, s)]
    assert sorted(faults) == []


def test_the_verdict_compiles_without_a_system(sources, root):
    clang = shutil.which("clang")
    assert clang, "clang is missing; tests/setup installs it"
    files = [str(root / path) for path in sources if re.match(r"lib/visit/.*\.c$", path)]
    assert files
    done = subprocess.run([clang, "--target=wasm32", "-std=c17", "-ffreestanding", "-nostdlibinc",
                           "-Wall", "-Werror", "-fsyntax-only", "-I", str(root / "lib"), *files],
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
