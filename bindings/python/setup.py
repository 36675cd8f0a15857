"""Notes in an installed package which checkout it came from; everything else is in pyproject.toml.

With that, `make && pip install ./bindings/python` is enough: the library is found in the build
folder of the checkout even if it is not installed.
"""

from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py


class BuildAndNote(build_py):
    def run(self):
        super().run()
        checkout = Path(__file__).resolve().parents[2]
        if not self.editable_mode and (checkout / "include" / "kizunasr").is_dir():
            note = Path(self.build_lib) / "kizunasr" / "_checkout.py"
            note.write_text(f"CHECKOUT = {str(checkout)!r}\n", encoding="utf-8")


setup(cmdclass={"build_py": BuildAndNote})
