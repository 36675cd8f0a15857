#!/usr/bin/env python3
"""Installing the package with pip, without a network: from a checkout that was built only.

The checkout is a copy, so that pip's leftovers do not lie in the real one.
"""

import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

import counting

NEEDED = ("pip", "setuptools", "wheel")
MISSING = [name for name in NEEDED if importlib.util.find_spec(name) is None]


@unittest.skipIf(MISSING, "not installed: " + ", ".join(MISSING))
class Install(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="kizunasr-install-")
        cls.checkout = os.path.join(cls.folder, "checkout")
        built = os.path.join(cls.checkout, "build", "src")
        os.makedirs(built)
        os.makedirs(os.path.join(cls.checkout, "include", "kizunasr"))
        os.symlink(counting.LIBRARY, os.path.join(built, "libkizunasr.so.0"))
        shutil.copytree(counting.PACKAGE, os.path.join(cls.checkout, "bindings", "python"),
                        ignore=shutil.ignore_patterns("build", "*.egg-info", "__pycache__"))
        cls.site = os.path.join(cls.folder, "site")
        cls.pip = cls.run_python("-m", "pip", "install", "--quiet", "--no-index", "--no-deps",
                                 "--no-build-isolation", "--disable-pip-version-check",
                                 "--target", cls.site,
                                 os.path.join(cls.checkout, "bindings", "python"))

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.folder)

    @classmethod
    def run_python(cls, *arguments, **variables):
        """Runs Python where nothing but the installed package is in the way."""
        env = {k: v for k, v in os.environ.items() if k != "KIZUNASR_LIBRARY"}
        env.update({"PYTHONPATH": cls.site, "HOME": cls.folder, **variables})
        return subprocess.run([sys.executable, *arguments], cwd=cls.folder, env=env, check=False,
                              capture_output=True, text=True, timeout=120)

    def test_pip_installs_the_package(self):
        self.assertEqual(self.pip.returncode, 0, self.pip.stderr)
        installed = os.listdir(os.path.join(self.site, "kizunasr"))
        self.assertIn("py.typed", installed)
        self.assertIn("_checkout.py", installed)
        self.assertFalse(os.path.exists(os.path.join(self.site, "tools")))

    def test_library_is_found_in_the_checkout(self):
        done = self.run_python("-c", "import kizunasr as k; from kizunasr import _library;"
                               "print(k.__file__); print(_library.library()._name)")
        self.assertEqual(done.returncode, 0, done.stderr)
        package, library = done.stdout.split()
        self.assertTrue(package.startswith(self.site))
        self.assertTrue(library.startswith(self.checkout))

    def test_earlier_import_paths_work_with_it(self):
        compat = os.path.join(self.checkout, "bindings", "python", "compat")
        done = self.run_python("-c", "import tools.offline_processor as t, kizunasr;"
                               "print(t.OfflineVideoProcessor is kizunasr.OfflineVideoProcessor)",
                               PYTHONPATH=self.site + os.pathsep + compat)
        self.assertEqual((done.returncode, done.stdout), (0, "True\n"), done.stderr)


if __name__ == "__main__":
    counting.main()
