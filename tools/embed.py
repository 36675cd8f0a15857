#!/usr/bin/env python3
"""Writes text files as C strings, for the library to hold: embed.py HEADER NAME=FILE..."""
import sys

out = ["// Made by tools/embed.py; see there.\n"]
for argument in sys.argv[2:]:
    name, path = argument.split("=", 1)
    with open(path, "rb") as file:
        data = file.read() + b"\0"
    # Beyond ASCII as characters, which fit a char whether it has a sign or not.
    values = [str(b) if b < 128 else f"'\\{b:o}'" for b in data]
    rows = [", ".join(values[i:i + 20]) for i in range(0, len(values), 20)]
    out.append(f"static const char {name}[] = {{\n    " + ",\n    ".join(rows) + "};\n")
with open(sys.argv[1], "w", encoding="utf-8") as file:
    file.write("\n".join(out))
