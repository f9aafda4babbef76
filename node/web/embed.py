#!/usr/bin/env python3
"""Puts small pages into the program: embed.py OUTPUT.c INPUT... (names become web_<name>)."""
import hashlib
import os
import re
import sys


def literal(data):
    """The bytes as C string literals, one line of the file each."""
    def char(b):
        if b in b'"\\':
            return "\\" + chr(b)
        return chr(b) if 0x20 <= b < 0x7F and b != 0x3F else "\\%03o" % b

    lines = data.splitlines(keepends=True) or [b""]
    return "\n".join('    "%s"' % "".join(char(b) for b in line) for line in lines)


def main():
    out = ['#include "web.h"', ""]
    for path in sys.argv[2:]:
        with open(path, "rb") as f:
            data = f.read()
        name = re.sub(r"\W", "_", os.path.basename(path))
        out.append("const struct web_file web_%s = {" % name)
        out.append("%s,\n    %d, \"\\\"%s\\\"\"};" % (literal(data), len(data),
                                                  hashlib.sha256(data).hexdigest()[:22]))
    with open(sys.argv[1], "w", encoding="ascii") as f:
        f.write("\n".join(out) + "\n")


main()
