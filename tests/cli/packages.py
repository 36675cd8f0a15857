#!/usr/bin/env python3
"""What becomes packages, without building them: packages.py PROGRAM BUILD_FOLDER

The bundle made from a build folder runs elsewhere, the wheel has the library and the program's version, the other
packages name that version, and `make install` tells the loader. `make test-packages` tries the packages
themselves in bare systems.
"""

import base64
import csv
import hashlib
import importlib.util
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
PACKAGING = ROOT / "packaging"
program, build = map(os.path.abspath, sys.argv[1:])
passed = failed = skipped = 0


def check(what, good, shown=""):
    global passed, failed
    passed, failed = passed + bool(good), failed + (not good)
    if not good:
        print(f"FAILED {what}\n{shown}")


def skip(what):
    global skipped
    skipped += 1
    print(f"skipped: {what}")


def run(*command, **more):
    return subprocess.run([str(word) for word in command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, check=False, text=True, **more)


def test_bundle(room, version):
    done = run(PACKAGING / "bundle", build, room / "first")
    check("packaging/bundle", done.returncode == 0, done.stdout)
    bundle = (room / "first").rename(room / "another place")
    done = run(bundle / "kizunasr", "--version", env={})
    check("the bundle runs elsewhere", done.stdout == version, done.stdout)
    run("ffmpeg", "-v", "error", "-f", "lavfi", "-i", "testsrc2=s=32x32", "-frames:v", "1", room / "in.png")
    done = run(bundle / "kizunasr", "upscale", room / "in.png", room / "out.png", "--use-ai", "--ai-model",
               "anime-fast", env={}, cwd=room)
    check("AI mode from the bundle", done.returncode == 0, done.stdout)
    outside = [line for line in run("ldd", bundle / "bin/kizunasr", env={"PATH": os.environ["PATH"]}).stdout.splitlines()
               if "=>" in line and str(bundle) not in line]
    system = re.compile(r"\s*(ld-linux|lib(c|m|dl|pthread|rt|resolv|util|mvec|gcc_s|stdc\+\+|GL|EGL|GLX|GLdispatch|OpenGL))[.-]")
    check("only libraries of the system lie outside", outside and all(map(system.match, outside)), outside)
    licences = os.listdir(bundle / "share/doc/licences")
    check("licences of what it contains", "kizunasr" in licences and any(n.startswith("libavcodec") for n in licences),
          licences)
    return bundle


def test_wheel(bundle, room, version):
    for library in (bundle / "lib").iterdir():
        if not library.name.startswith("libkizunasr"):
            library.unlink()  # compressing all of them takes long; this system has them
    done = run(sys.executable, PACKAGING / "wheel", bundle, room)
    check("packaging/wheel", done.returncode == 0, done.stdout)
    path = pathlib.Path(done.stdout.strip())
    check("the wheel's name", re.fullmatch(rf"kizunasr-{version}-py3-none-manylinux_2_\d+_\w+\.whl", path.name), path)
    with zipfile.ZipFile(path) as wheel:
        names = set(wheel.namelist())
        check("its contents", {"kizunasr/__init__.py", "kizunasr/py.typed", "kizunasr/lib/libkizunasr.so.0",
                               "kizunasr/share/kizunasr/models/anime-fast.ksrnet"} <= names, names)
        check("nothing of a checkout", "kizunasr/_checkout.py" not in names)
        record = wheel.read(f"kizunasr-{version}.dist-info/RECORD").decode().splitlines()
        rows = {row[0]: row[1] for row in csv.reader(record)}
        digest = {name: "sha256=" + base64.urlsafe_b64encode(
            hashlib.sha256(wheel.read(name)).digest()).rstrip(b"=").decode() for name in names}
        check("RECORD", set(rows) == names and all(digest[n] == d for n, d in rows.items() if d))
    if importlib.util.find_spec("pip") is None or importlib.util.find_spec("numpy") is None:
        return skip("pip or numpy is not installed")
    done = run(sys.executable, "-m", "pip", "install", "--quiet", "--no-index", "--no-deps", "--target", room / "site", path)
    check("pip installs it", done.returncode == 0, done.stdout)
    done = run(sys.executable, "-c", "from kizunasr._library import library; print(library()._name)",
               env={"PYTHONPATH": str(room / "site")}, cwd=room)
    check("it loads its own library", done.stdout.startswith(str(room / "site/kizunasr/lib")), done.stdout)


def test_versions(room, version):
    places = {"arch/PKGBUILD": r"^pkgver=(.*)$", "nix/default.nix": r'^ *version = "(.*)";$',
              "homebrew/kizunasr.rb": r'^ *version "(.*)"$'}
    for name, pattern in places.items():
        found = re.search(pattern, (PACKAGING / name).read_text(encoding="utf-8"), re.MULTILINE)
        check(f"the version of {name}", found and found[1] == version, found)
    check("syntax of PKGBUILD", run("bash", "-n", PACKAGING / "arch/PKGBUILD").returncode == 0)
    done = run(PACKAGING / "deb", room / "deb", "--source-only")
    check("packaging/deb", done.returncode == 0, done.stdout)
    source = room / f"deb/kizunasr-{version}"
    if shutil.which("dpkg-parsechangelog"):
        done = run("dpkg-parsechangelog", "-S", "Version", cwd=source)
        check("the version of the Debian packages", done.stdout.strip() == version, done.stdout)
    else:
        skip("dpkg-dev is not installed")
    control = (source / "debian/control").read_text(encoding="utf-8")
    soname = next((pathlib.Path(build) / "src").glob("libkizunasr.so.[0-9]")).name.removeprefix("libkizunasr.so.")
    check("the package of the library is named after its soname", f"\nPackage: libkizunasr{soname}\n" in control)
    check("the source package has no build folder", not list(source.glob("build*")), list(source.glob("*")))


def test_install_tells_the_loader(room):
    """With a meson that does nothing, someone who is root, and an ldconfig that leaves a note."""
    (room / "tools").mkdir()
    (room / "build").mkdir()
    (room / "build/build.ninja").touch()
    for name, text in (("meson", "exit 0"), ("id", "echo 0"), ("ldconfig", f"echo called >>'{room}/note'")):
        (room / "tools" / name).write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
        (room / "tools" / name).chmod(0o755)
    env = dict(os.environ, PATH=f"{room}/tools:{os.environ['PATH']}")
    command = ["make", "-C", ROOT, "install", f"BUILD={room}/build"]
    done = run(*command, f"DESTDIR={room}/stage", env=env)
    check("make install DESTDIR leaves the loader alone", done.returncode == 0 and not (room / "note").exists(), done.stdout)
    done = run(*command, env=env)
    check("make install calls ldconfig", done.returncode == 0 and (room / "note").exists(), done.stdout)


with tempfile.TemporaryDirectory(prefix="kizunasr-packages-") as folder:
    rooms = pathlib.Path(folder)
    text = run(program, "--version").stdout
    number = text.split()[1]
    if shutil.which("patchelf"):
        test_wheel(test_bundle(rooms, text), rooms, number)
    else:
        skip("patchelf is not installed")
    test_versions(rooms, number)
    test_install_tells_the_loader(rooms)
    for script in ("bundle", "deb", "files", "test"):
        check(f"syntax of packaging/{script}", run("bash", "-n", PACKAGING / script).returncode == 0)

print(f"{passed} passed, {failed} failed, {skipped} skipped")
sys.exit(failed > 0)
