#!/usr/bin/env python3
"""The library's folders include and call only what lies below them.

    tests/layers.py SOURCE_ROOT LIBRARY.a

The order is the table of docs/architecture.md, from the top down: each row that names a folder of
src/ is a layer. Every file belongs to one, every layer has files, and no include, and no call
found in the objects of the static library, leads to a layer further up. With one order for all,
nothing can go round in a circle either. Outside src/media/, nothing includes FFmpeg's headers.

One header of each layer says what the folder takes and gives, and the layer below that it may
include.

Every file that docs/architecture.md names is there.

One check for each layer, one for FFmpeg, and one for the names.
"""

import collections
import pathlib
import re
import shutil
import subprocess
import sys

LAYER = re.compile(r"^\| `src/([\w/]+)/` \|", re.MULTILINE)
INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"', re.MULTILINE)
NAMED = re.compile(r"`([a-z_0-9/]+\.(?:[ch]|py|toml|txt))`")  # not NAME.c, which stands for any
PARTS = ["cli", "include", "models", "src", "tests", "train"]
FFMPEG = re.compile(r"^\s*#\s*include\s+<lib(?:av|sw)\w+/", re.MULTILINE)


def layer_of(name, layers):
    """Returns the layer that a file lies in: the longest that its folder begins with, or None."""
    own = [layer for layer in layers if name.startswith(layer + "/")]
    return max(own, key=len, default=None)


def introduction(layer, below):
    """Returns what matches the words in a layer's main header."""
    text = r" +\S.*\n(?://     .*\n)*//   "
    return re.compile(
        f"^// The folder {layer}:\n//   takes{text}gives{text}may include +{below}\n", re.MULTILINE
    )


def included(name, src):
    """Lists the files of src/ that a file includes."""
    for target in INCLUDE.findall((src / name).read_text()):
        beside = pathlib.PurePosixPath(name).parent / target
        for path in (str(beside), target):
            if (src / path).is_file():
                yield path
                break


def read_symbols(library, names):
    """Returns which file defines each symbol, and the pairs of file and symbol it takes."""
    objects = {name.replace("/", "_") + ".o": name for name in names if name.endswith(".c")}
    defined, wanted = {}, []
    output = subprocess.run(
        ["nm", "-A", library], check=True, stdout=subprocess.PIPE, text=True
    ).stdout
    for line in output.splitlines():
        place, _, symbol = line.rpartition(":")
        name = objects.get(re.split(r"[:/]", place)[-1])
        words = symbol.split()
        if not name or len(words) < 2:
            continue
        if words[-2] == "U":
            wanted.append((name, words[-1]))
        elif words[-2].isupper():
            defined[words[-1]] = name
    return defined, wanted


def main():
    if not shutil.which("nm"):
        print("0 passed, 0 failed, 1 skipped")
        return 77
    root, library = pathlib.Path(sys.argv[1]), sys.argv[2]
    src = root / "src"
    page = (root / "docs/architecture.md").read_text()
    layers = LAYER.findall(page)
    names = sorted(p.relative_to(src).as_posix() for p in src.rglob("*.[ch]"))
    troubles = collections.defaultdict(list)

    def check(name, verb, target, detail=""):
        own, other = layer_of(name, layers), layer_of(target, layers)
        if own and other and layers.index(other) < layers.index(own):
            troubles[own].append(
                f"src/{name} {verb} src/{target}{detail}, but docs/architecture.md has "
                f"src/{other}/ above src/{own}/"
            )

    for name in names:
        if not layer_of(name, layers):
            troubles["none"].append(f"src/{name} is in no folder that docs/architecture.md lists")
        for target in included(name, src):
            check(name, "includes", target)
        if not name.startswith("media/") and FFMPEG.search((src / name).read_text()):
            troubles["FFmpeg"].append(f"src/{name} includes FFmpeg's headers outside src/media/")
    defined, wanted = read_symbols(library, names)
    if not defined or not wanted:
        troubles["objects"].append(f"no calls are found in {library}")
    for name, symbol in wanted:
        if symbol in defined:
            check(name, "calls", defined[symbol], f" ({symbol})")
    for layer, below in zip(layers, [f"{layer} and below" for layer in layers[1:]] + ["nothing"]):
        headers = [n for n in names if n.endswith(".h") and layer_of(n, layers) == layer]
        if not headers:
            troubles[layer].append(f"docs/architecture.md lists src/{layer}/, which has no headers")
        elif not any(introduction(layer, below).search((src / n).read_text()) for n in headers):
            troubles[layer].append(
                f"no header of src/{layer}/ says what it takes, gives and includes ({below})"
            )

    there = [f"/{p.as_posix()}" for part in PARTS for p in (root / part).rglob("*.*")]
    for name in sorted(set(NAMED.findall(page))):
        if not any(path.endswith(f"/{name}") for path in there):
            troubles["names"].append(f"docs/architecture.md names {name}, which is not there")

    for lines in troubles.values():
        print("\n".join(lines))
    checks = len(layers) + 2
    failed = len(troubles)
    print(f"{max(checks - failed, 0)} passed, {failed} failed, 0 skipped")
    return 1 if failed or not layers else 0


if __name__ == "__main__":
    sys.exit(main())
