#!/usr/bin/env python3
"""Writes SPIR-V files, binary or as text (matrix_spirv.py), as a list of struct ksr_gpu_shader:
embed.py OUTPUT.c FILE.spv|FILE.words..."""
import os
import struct
import sys

out = ["// Made by src/vulkan/embed.py; see there.\n", '#include "vulkan/kernel.h"\n']
entries = []
for path in sys.argv[2:]:
    name = os.path.basename(path).partition(".")[0]
    with open(path, "rb") as file:
        data = file.read()
    if path.endswith(".words"):
        lines = [line for line in data.decode().splitlines() if not line.startswith("#")]
        words = ["0x" + word for word in " ".join(lines).split()]
    else:
        words = [f"{word:#x}" for word in struct.unpack(f"<{len(data) // 4}I", data)]
    rows = [", ".join(words[i:i + 10]) for i in range(0, len(words), 10)]
    out.append(f"static const uint32_t code_{name}[] = {{\n    " + ",\n    ".join(rows) + "};\n")
    entries.append(f'    {{"{name}", code_{name}, sizeof(code_{name})}},')
entries.append("    {0},")
out.append("const struct ksr_gpu_shader ksr_gpu_shaders[] = {\n" + "\n".join(entries) + "\n};\n")
with open(sys.argv[1], "w", encoding="utf-8") as file:
    file.write("\n".join(out))
