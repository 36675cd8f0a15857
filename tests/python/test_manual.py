#!/usr/bin/env python3
"""Every Python block of manual-blocks.md, run as it stands on small real films.

Blocks share their names, as on the page: a block finds what those before it have imported and made.
`...` in a call stands for what the blocks before it gave. Blocks that only configure something are
followed by the run that shows it.
"""

import dataclasses
import io
import os
import re
import shutil
import subprocess
import sys
import tempfile
import textwrap
import typing
import unittest

import counting
import kizunasr


def read_blocks():
    text = open(os.path.join(counting.HERE, "manual-blocks.md"), encoding="utf-8").read()
    return dict(re.findall(r"^## (.*?)\n\n```python\n(.*?)```", text, re.M | re.S))


BLOCKS = read_blocks()


def stream(path, kind):
    info = kizunasr.probe(path)
    return info, next(s for s in info["streams"] if s["type"] == kind)


class Manual(unittest.TestCase):
    """In the order of the page; unittest runs methods by name."""

    @classmethod
    def setUpClass(cls):
        cls.names = {"__name__": "manual"}
        cls.run_blocks = set()
        cls.folder = tempfile.mkdtemp(prefix="kizunasr-manual-")
        cls.start = os.getcwd()
        os.chdir(cls.folder)
        counting.make_film("input.mp4")
        counting.make_film("anime_1080p.mp4", "--frames", "6")

    @classmethod
    def tearDownClass(cls):
        os.chdir(cls.start)
        shutil.rmtree(cls.folder)

    def run_block(self, name, complete=None):
        """Runs a block; complete: what its `...` stands for."""
        code = BLOCKS[name]
        if complete:
            self.assertIn("...,", code)
            code = code.replace("...,", complete + ",")
        self.run_blocks.add(name)
        for output in ("output.mp4", "output.mkv"):
            if os.path.exists(output) and "output_path" in code:
                os.remove(output)
        exec(compile(code, name, "exec"), self.names)

    def process(self):
        """What the configuring blocks leave to the reader."""
        return self.names["OfflineVideoProcessor"](self.names["config"]).process()

    def test_01_basic(self):
        self.run_block("Basic Example (Shader-Only)")
        info, video = stream("output.mp4", "video")
        self.assertEqual((video["width"], video["height"], video["codec"], video["pixel_format"]),
                         (128, 96, "h264", "yuv420p"))
        self.assertEqual(info["video"]["frames"], 12)
        self.assertTrue(kizunasr.verify("input.mp4", "output.mp4")["passed"])

    def test_02_ai(self):
        os.mkdir("models")
        shutil.copy(os.path.join(counting.ROOT, "models", "anime-fast.onnx"),
                    "models/anime_sr_2x.onnx")
        try:
            self.run_block("AI + Shader Mode")
        except kizunasr.ModelError as error:
            if "not installed" not in str(error):
                raise
            self.skipTest(str(error))
        _, video = stream("anime_4k.mp4", "video")
        self.assertEqual((video["width"], video["height"]), (128, 96))
        with kizunasr.VideoDecoder("anime_4k.mp4") as ai:
            network = next(ai).data.astype(int)
        kizunasr.OfflineVideoProcessor(
            kizunasr.OfflineProcessorConfig("anime_1080p.mp4", "shader.mp4")).process()
        with kizunasr.VideoDecoder("shader.mp4") as shader:
            filters = next(shader).data.astype(int)
        self.assertGreater(abs(network - filters).max(), 0)
        self.assertLess(abs(network - filters).mean(), 8)

    def test_03_custom_quality(self):
        self.names["pipeline_config"] = kizunasr.PipelineConfig()
        self.run_block("Custom Encoding Quality")
        self.assertEqual(self.process().frames, 12)
        info, video = stream("output.mkv", "video")
        self.assertEqual((video["codec"], info["format"]), ("hevc", "matroska,webm"))

    def test_04_bitrate(self):
        self.run_block("Bitrate-Based Encoding")
        self.names["config"].encoder_config = self.names["encoder_config"]
        self.names["config"].output_path = "output.mp4"
        self.process()
        _, video = stream("output.mp4", "video")
        self.assertEqual(video["codec"], "h264")

    def compare_fields(self, name):
        """The page's dataclass and the package's: names, order, defaults."""
        ours = {f.name: f for f in dataclasses.fields(getattr(kizunasr, name))}
        names = dict(self.names)
        names.update(dataclass=dataclasses.dataclass, Optional=typing.Optional)
        exec(compile(BLOCKS[name], name, "exec"), names)
        self.run_blocks.add(name)
        theirs = dataclasses.fields(names[name])
        self.assertEqual(list(ours)[:len(theirs)], [f.name for f in theirs])
        for f in theirs:
            if f.default is not dataclasses.MISSING:
                self.assertEqual(ours[f.name].default, f.default, f.name)
        return theirs

    def test_05_processor_config(self):
        names = [f.name for f in self.compare_fields("OfflineProcessorConfig")]
        self.assertEqual(len(names), 6)
        config = kizunasr.OfflineProcessorConfig("a.mp4", "b.mp4")
        self.assertIsInstance(config.pipeline_config, kizunasr.PipelineConfig)
        self.assertIsInstance(config.encoder_config, kizunasr.EncoderConfig)

    def test_06_encoder_config(self):
        theirs = self.compare_fields("EncoderConfig")
        self.assertEqual(len(theirs), 8)
        for f in theirs:
            self.assertEqual(getattr(kizunasr.EncoderConfig(), f.name), f.default, f.name)

    COMPLETE = ('input_path="input.mp4", output_path="output.mp4", '
                "pipeline_config=pipeline_config")

    def packets(self, path):
        """The sound, byte for byte; None without ffmpeg."""
        if not shutil.which("ffmpeg"):
            return None
        return subprocess.run(["ffmpeg", "-v", "error", "-i", path, "-map", "0:a", "-c", "copy",
                               "-f", "streamhash", "-"], capture_output=True, check=True).stdout

    def test_07_passthrough(self):
        self.run_block("Passthrough Mode (Default)", self.COMPLETE)
        self.process()
        self.assertEqual(self.packets("output.mp4"), self.packets("input.mp4"))

    def test_08_encoding_audio(self):
        self.run_block("Re-Encoding Mode", self.COMPLETE)
        self.process()
        _, audio = stream("output.mp4", "audio")
        self.assertEqual(audio["codec"], "aac")
        if shutil.which("ffmpeg"):
            self.assertNotEqual(self.packets("output.mp4"), self.packets("input.mp4"))

    def test_09_frame_count(self):
        self.run_block("Frame Count Validation")
        self.assertEqual((self.names["input_count"], self.names["output_count"]), (12, 12))

    def check_error(self, name, error):
        """The page shows an error as `Kind: text`; a text of `...` says nothing."""
        self.run_blocks.add(name)
        kind, text = BLOCKS[name].strip().split(": ", 1)
        self.assertIn(kind, [k.__name__ for k in type(error).__mro__])
        if text != "...":
            self.assertTrue(str(error).startswith(text), f"{error} does not begin with {text}")

    def test_10_input_not_found(self):
        os.rename("input.mp4", "elsewhere.mp4")
        with self.assertRaises(FileNotFoundError) as caught:
            exec(BLOCKS["Basic Example (Shader-Only)"], dict(self.names))
        os.rename("elsewhere.mp4", "input.mp4")
        self.check_error("Input file not found", caught.exception)
        self.assertEqual(str(caught.exception), "Input file not found: input.mp4")
        with self.assertRaises(FileNotFoundError) as caught:
            kizunasr.VideoDecoder("input.mkv")
        self.assertEqual(str(caught.exception), "Input file not found: input.mkv")

    def test_11_encoder_does_not_open(self):
        config = kizunasr.OfflineProcessorConfig("input.mp4", "fail.mp4")
        config.encoder_config.encoder_options = {"level": "99"}
        with self.assertRaises(ValueError) as caught:
            kizunasr.OfflineVideoProcessor(config).process()
        self.check_error("Encoder initialization failed", caught.exception)
        self.assertFalse(os.path.exists("fail.mp4"))

    def test_12_out_of_memory(self):
        self.run_blocks.add("Out of memory")
        if counting.SANITIZED:
            return  # sanitizers need address space without a limit
        program = textwrap.dedent("""
            import resource, sys, kizunasr
            kizunasr.library_versions()
            size = next(int(l.split()[1]) for l in open("/proc/self/status") if "VmSize" in l)
            limit = (size << 10) + (64 << 20)
            resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
            config = kizunasr.OfflineProcessorConfig("large.mp4", "never.mkv")
            config.encoder_config.codec = "ffv1"
            config.pipeline_config.shader_scale = 4
            try:
                kizunasr.OfflineVideoProcessor(config).process()
            except Exception as error:
                print([k.__name__ for k in type(error).__mro__], str(error))
        """)
        counting.make_film("large.mp4", "--width", "1280", "--height", "720", "--frames", "2")
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True,
                              timeout=120, check=False)
        self.assertIn("'MemoryError'", done.stdout, done.stderr)
        self.check_error("Out of memory", MemoryError())

    def test_13_batch(self):
        os.mkdir("input_videos")
        for name in ("one", "two"):
            counting.make_film(f"input_videos/{name}.mp4", "--frames", "3")
        printed, sys.stdout = sys.stdout, io.StringIO()
        try:
            self.run_block("Batch Processing")
            said = sys.stdout.getvalue()
        finally:
            sys.stdout = printed
        self.assertEqual(sorted(os.listdir("output_videos")),
                         ["one_upscaled.mp4", "two_upscaled.mp4"])
        self.assertEqual(sorted(said.split("\n")),
                         sorted("\nProcessing: one.mp4\n\nProcessing: two.mp4\n".split("\n")))

    def test_14_progress_bar(self):
        try:
            import tqdm  # noqa: F401
        except ImportError:
            self.skipTest("tqdm is missing")
        self.run_block("With Progress Bar (tqdm)")
        example = os.path.join(counting.ROOT, "examples", "python", "upscale.py")
        done = subprocess.run([sys.executable, example, "input.mp4", "bar.mkv"], check=False,
                              capture_output=True, text=True, timeout=120)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("work: 100%", done.stderr)
        self.assertIn("12/12", done.stderr)
        self.assertIn("bar.mkv: 12 frames, 128x96", done.stdout)

    def test_99_no_block_was_left_out(self):
        self.assertEqual(len(BLOCKS), 14)
        self.assertEqual(set(BLOCKS) - self.run_blocks, set())


if __name__ == "__main__":
    counting.main()
