#!/usr/bin/env python3
"""Keeps the SPIR-V of net_matrix.comp in the tree as text, as glslang cannot compile it before version 14.

    matrix_spirv.py [--check]

Compiles the shader with $GLSLANG (default: glslangValidator) and writes shaders/net_matrix.words. With --check
it writes nothing: it fails if the text is of another source, and where glslang is the version that the text was
made with, if it gives other words. Run it after every change of the shader."""
import hashlib
import os
import subprocess
import sys
import tempfile

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "shaders")
SOURCE = os.path.join(FOLDER, "net_matrix.comp")
WORDS = os.path.join(FOLDER, "net_matrix.words")
GLSLANG = os.environ.get("GLSLANG", "glslangValidator")


def version():
    try:
        text = subprocess.run([GLSLANG, "--version"], capture_output=True, text=True, check=False).stdout
    except OSError:
        return None
    return next((line.split(":")[-1].strip() for line in text.splitlines() if line.startswith("Glslang Version")), None)


def header():
    with open(SOURCE, "rb") as file:
        source = hashlib.sha256(file.read()).hexdigest()
    return f"# SPIR-V of net_matrix.comp, made by src/vulkan/matrix_spirv.py\n# sha256 of the source {source}\n"


def compile_shader():
    with tempfile.TemporaryDirectory() as folder:
        output = os.path.join(folder, "net_matrix.spv")
        subprocess.run([GLSLANG, "--quiet", "-V", "--target-env", "vulkan1.3", "-o", output, SOURCE], check=True)
        with open(output, "rb") as file:
            data = file.read()
    words = [data[i:i + 4][::-1].hex() for i in range(0, len(data), 4)]
    rows = [" ".join(words[i:i + 12]) + "\n" for i in range(0, len(words), 12)]
    return header() + f"# glslang {version()}\n" + "".join(rows)


def check():
    with open(WORDS, encoding="ascii") as file:
        text = file.read()
    if not text.startswith(header()):
        sys.exit(f"{WORDS} is not of this source: run src/vulkan/matrix_spirv.py with glslang 14 or newer")
    if f"# glslang {version()}\n" not in text:
        print(f"glslang {version()} is not the version of the words: only the source was compared")
    elif text != compile_shader():
        sys.exit(f"glslang gives other words than {WORDS}")


if sys.argv[1:] == ["--check"]:
    check()
else:
    with open(WORDS, "w", encoding="ascii") as file:
        file.write(compile_shader())
