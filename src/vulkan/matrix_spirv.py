#!/usr/bin/env python3
"""Keeps the SPIR-V of shaders with matrices in the tree as text, as glslang cannot compile them before version 14.

    matrix_spirv.py [--check]

Compiles shaders/*_matrix.comp with $GLSLANG (default: glslangValidator) and writes their .words. With --check it
writes nothing: it fails if a text is of another source, and where glslang is the version that the text was made
with, if it gives other words. Run it after every change of such a shader."""
import glob
import hashlib
import os
import subprocess
import sys
import tempfile

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "shaders")
GLSLANG = os.environ.get("GLSLANG", "glslangValidator")


def version():
    try:
        text = subprocess.run([GLSLANG, "--version"], capture_output=True, text=True, check=False).stdout
    except OSError:
        return None
    return next((line.split(":")[-1].strip() for line in text.splitlines() if line.startswith("Glslang Version")), None)


def header(source):
    with open(source, "rb") as file:
        digest = hashlib.sha256(file.read()).hexdigest()
    name = os.path.basename(source)
    return f"# SPIR-V of {name}, made by src/vulkan/matrix_spirv.py\n# sha256 of the source {digest}\n"


def compile_shader(source):
    with tempfile.TemporaryDirectory() as folder:
        output = os.path.join(folder, "matrix.spv")
        subprocess.run([GLSLANG, "--quiet", "-V", "--target-env", "vulkan1.3", "-o", output, source], check=True)
        with open(output, "rb") as file:
            data = file.read()
    words = [data[i:i + 4][::-1].hex() for i in range(0, len(data), 4)]
    rows = [" ".join(words[i:i + 12]) + "\n" for i in range(0, len(words), 12)]
    return header(source) + f"# glslang {version()}\n" + "".join(rows)


def check(source, words):
    with open(words, encoding="ascii") as file:
        text = file.read()
    if not text.startswith(header(source)):
        sys.exit(f"{words} is not of this source: run src/vulkan/matrix_spirv.py with glslang 14 or newer")
    if f"# glslang {version()}\n" not in text:
        print(f"glslang {version()} is not the version of {words}: only the source was compared")
    elif text != compile_shader(source):
        sys.exit(f"glslang gives other words than {words}")


for shader in sorted(glob.glob(os.path.join(FOLDER, "*_matrix.comp"))):
    text_file = shader.replace(".comp", ".words")
    if sys.argv[1:] == ["--check"]:
        check(shader, text_file)
    else:
        words_text = compile_shader(shader)
        with open(text_file, "w", encoding="ascii") as output_file:
            output_file.write(words_text)
