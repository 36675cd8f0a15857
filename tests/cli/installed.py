#!/usr/bin/env python3
"""Installs a build somewhere else and uses what is there: installed.py PROGRAM BUILD_FOLDER

The installed program must find its library and its models (not those of the source tree) wherever they
stand; man pages and headers come along. Only in /usr the library is left to the loader.
"""

import os
import subprocess
import sys
import tempfile

build = os.path.abspath(sys.argv[2])
passed = failed = 0


def check(what, good, shown=""):
    global passed, failed
    passed, failed = passed + bool(good), failed + (not good)
    if not good:
        print(f"FAILED {what}\n{shown}")


def run(command, **more):
    return subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, check=False, text=True, **more)


with open(os.path.join(os.path.dirname(__file__), "../../models/networks.toml"), encoding="utf-8") as table:
    networks = [line.strip("[]\n") for line in table if line.startswith("[")]

with tempfile.TemporaryDirectory() as room:
    done = run(["meson", "install", "-C", build, "--no-rebuild", "--destdir", f"{room}/stage"])
    check("meson install", done.returncode == 0, done.stdout)
    found = {}
    for folder, _, names in os.walk(f"{room}/stage"):
        for name in names:
            found[name] = os.path.join(folder, name)
    for name in ("kizunasr", "libkizunasr.so", "kizunasr.pc", "job.h", "kizunasr.1",
                 "kizunasr-upscale.1", "_kizunasr", "kizunasr.fish",
                 *(network + end for network in networks for end in (".ksrnet", ".onnx", ".md"))):
        check(f"{name} is installed", name in found)
    program = found["anime-fast.ksrnet"].split("/share/")[0] + "/bin/kizunasr"
    env = dict(os.environ)
    env.pop("LD_LIBRARY_PATH", None)
    if program == f"{room}/stage/usr/bin/kizunasr":
        env["LD_LIBRARY_PATH"] = os.path.dirname(found["libkizunasr.so"])
    shown = run(["ldd", program], env=env).stdout
    check("its library is the installed one", f"=> {room}/stage" in shown, shown)
    run(["ffmpeg", "-v", "error", "-f", "lavfi", "-i", "testsrc2=s=32x32", "-frames:v", "1",
         f"{room}/in.png"])
    upscale = [program, "upscale", f"{room}/in.png", f"{room}/out.png", "--use-ai", "--overwrite",
               "--log-level", "warning"]
    done = run(upscale, env=env)
    check("AI mode with installed models", done.returncode == 0, done.stdout)
    done = run([program, "models", networks[-1]], env=env)
    check("an installed card", f"# {networks[-1]}\n" in done.stdout, done.stdout)
    done = run([program, "--version"], env=env)
    check("the version", done.returncode == 0 and done.stdout.startswith("kizunasr "), done.stdout)
    # Not with those of the source tree, which are there too.
    os.remove(found["anime-quality.ksrnet"])
    done = run(upscale, env=env)
    check("models are those beside the library", done.returncode == 5, done.stdout)

print(f"{passed} passed, {failed} failed, 0 skipped")
sys.exit(failed > 0)
