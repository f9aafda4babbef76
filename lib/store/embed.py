#!/usr/bin/env python3
"""Turns schema_NAME.sql files into one C header: schema_NAME[i] takes version i to i + 1."""

import os
import re
import sys


def migrations(path):
    """The sections of the file, in order; what stands before the first is a comment."""
    with open(path, encoding="ascii") as file:
        parts = re.split(r"^-- version (\d+)$", file.read(), flags=re.MULTILINE)
    numbers = [int(number) for number in parts[1::2]]
    if numbers != list(range(1, len(numbers) + 1)) or not numbers:
        sys.exit(f"{path}: versions must be 1, 2, 3 ... in this order, not {numbers}")
    return parts[2::2]


def literal(sql):
    """One C string a line; comments and indentation do not travel into the database."""
    lines = [line.split("--")[0].strip() for line in sql.splitlines()]
    text = [line.replace("\\", "\\\\").replace('"', '\\"') for line in lines if line]
    return "\n".join(f'    "{line}\\n"' for line in text)


def main(output, inputs):
    out = ["/* Made by embed.py from lib/store/schema_*.sql. */", "#pragma once", ""]
    for path in inputs:
        name = os.path.splitext(os.path.basename(path))[0]
        body = ",\n".join(literal(section) for section in migrations(path))
        out.append(f"static const char *const {name}[] = {{\n{body},\n}};\n")
    with open(output, "w", encoding="ascii") as file:
        file.write("\n".join(out))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
