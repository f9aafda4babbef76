"""Floors and rooms: who may include whom, and where each library lives."""

import fnmatch
import re

# A floor may include itself and what it lists, by qualified path. Siblings do not list each other;
# visit/ is pure, so it sees nothing above the table of limits.
FLOORS = {
    "base": ["base"],
    "crypto": ["base", "crypto"],
    "jose": ["base", "crypto", "jose"],
    "cred": ["base", "crypto", "jose", "cred"],
    "fed": ["base", "crypto", "jose", "fed"],
    "dir": ["base", "crypto", "jose", "cred", "fed", "dir"],
    "visit": ["base/limits.h", "visit"],
    "store": ["base", "crypto", "jose", "cred", "fed", "dir", "visit", "store"],
    "app": ["base", "crypto", "jose", "cred", "fed", "dir", "visit", "store", "app"],
}

# A third party's header -> the files that may include it.
ROOMS = {
    "jansson.h": ["lib/base/json.c"],
    "zlib.h": ["lib/base/flate.c"],
    "openssl/ssl.h": ["node/tls*"],
    "openssl/*": ["lib/crypto/*", "node/tls*"],
    "qrencode.h": ["lib/cred/qr*"],
    "sqlite3.h": ["lib/store/sqlite*"],
    "event2/*": ["node/loop*", "node/tls*", "node/httpd*", "node/http_*", "node/fetch_loop*",
                 "node/network*", "node/serve*"],
    "curl/*": ["node/fetch*"],
    "ini.h": ["node/config*"],
}

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.M)


def includes(text):
    return [(kind == "<", name) for kind, name in INCLUDE.findall(text)]


def within(name, allowed):
    return any(name == entry or name.startswith(entry + "/") for entry in allowed)


def check_floor(path, text):
    """The includes of a file of lib/ that go up, or are not qualified."""
    allowed = FLOORS[path.split("/")[1]]
    return [f"{path} includes {name}" for system, name in includes(text)
            if not system and not within(name, allowed)]


def check_room(path, text):
    found = []
    for _, name in includes(text):
        for pattern, rooms in ROOMS.items():
            if fnmatch.fnmatch(name, pattern):
                if not any(fnmatch.fnmatch(path, room) for room in rooms):
                    found.append(f"{path} includes {name}, whose room is {', '.join(rooms)}")
                break
    return found


def test_every_folder_of_lib_is_a_floor(sources):
    folders = {path.split("/")[1] for path in sources if path.startswith("lib/")}
    assert folders <= set(FLOORS)


def test_includes_go_down_only(sources):
    assert [fault for path, text in sources.items() if path.startswith("lib/")
            for fault in check_floor(path, text)] == []


def test_libraries_stay_in_their_rooms(sources):
    assert [fault for path, text in sources.items() for fault in check_room(path, text)] == []


def test_the_rules_can_fail():
    assert check_floor("lib/base/str.c", '#include "crypto/key.h"\n')
    assert check_floor("lib/cred/pass.c", '#include "fed/entity.h"\n')
    assert check_floor("lib/visit/verdict.c", '#include "base/json.h"\n')
    assert check_floor("lib/app/issue.c", '# include "loop.h"\n')
    assert check_floor("lib/jose/jws.c", '#include "jws.h"\n')
    assert not check_floor("lib/visit/verdict.c", '#include "base/limits.h"\n')
    assert check_room("lib/cred/pass.c", "#include <openssl/evp.h>\n")
    assert check_room("lib/crypto/key.c", "#include <openssl/ssl.h>\n")
    assert check_room("node/router.c", "#include <event2/event.h>\n")
    assert not check_room("lib/crypto/key.c", "#include <openssl/evp.h>\n")


def test_no_c_file_is_included(sources):
    assert [f"{path} includes {name}" for path, text in sources.items()
            for _, name in includes(text) if name.endswith(".c")] == []
