#!/usr/bin/env python3
"""The package against its library: structs, settings, messages, progress, stopping, frames."""

import dataclasses
import json
import logging
import os
import pickle
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import unittest
from fractions import Fraction

import counting
import kizunasr
import numpy as np
from kizunasr import _library

C_TYPES = {"bool": bool, "int": int, "number": float}


def config_of(source, target, **encoder):
    encoder.setdefault("preset", "ultrafast")
    return kizunasr.OfflineProcessorConfig(source, target,
                                           encoder_config=kizunasr.EncoderConfig(**encoder))


def process(source, target, options=None, progress=None, **encoder):
    return kizunasr.OfflineVideoProcessor(config_of(source, target, **encoder), options=options,
                                          progress_callback=progress).process()


class Films(unittest.TestCase):
    """Tests with films, in a folder of their own."""

    @classmethod
    def setUpClass(cls):
        cls.start = os.getcwd()
        cls.folder = tempfile.mkdtemp(prefix="kizunasr-python-")
        os.chdir(cls.folder)
        counting.make_film("film.mp4")
        # 18 seconds: several segments.
        counting.make_film("long.mkv", "--frames", "432", "--gop", "24", "--no-title")

    @classmethod
    def tearDownClass(cls):
        os.chdir(cls.start)
        shutil.rmtree(cls.folder)

    def tearDown(self):
        for name in os.listdir("."):
            if name.startswith("out"):
                (shutil.rmtree if os.path.isdir(name) else os.remove)(name)


class Library(unittest.TestCase):
    @unittest.skipUnless(shutil.which("cc"), "no C compiler")
    def test_structs_are_those_of_the_headers(self):
        lines = ['#include "kizunasr/kizunasr.h"']
        structs = [s for s in vars(_library).values()
                   if isinstance(s, type) and "_name_" in vars(s)]
        self.assertGreaterEqual(len(structs), 8)
        for s in structs:
            name = f"struct {s._name_}"
            lines.append(f'_Static_assert(sizeof({name}) == {_library.c.sizeof(s)}, "{name}");')
            for member, _ in s._fields_:
                lines.append(f"_Static_assert(offsetof({name}, {member}) == "
                             f'{getattr(s, member).offset}, "{name}.{member}");')
        values = {k: v for k, v in vars(_library).items()
                  if k.startswith(("E_", "LOG_", "OPTIONS_"))}
        del values["LOG_CALLBACK"]
        lines += [f'_Static_assert(KSR_{k} == {v}, "{k}");' for k, v in values.items()]
        for i, phase in enumerate(_library.PHASES):
            lines.append(f'_Static_assert(KSR_PHASE_{phase.upper()} == {i}, "{phase}");')
        lines.append(f'_Static_assert(sizeof(KSR_VERSION) == sizeof("{_library.VERSION}"), "v");')
        done = subprocess.run(
            ["cc", "-std=c11", "-fsyntax-only", "-x", "c", "-", "-include", "stddef.h",
             "-I", os.path.join(counting.ROOT, "include")],
            input="\n".join(lines), text=True, capture_output=True, check=False,
            env={k: v for k, v in os.environ.items() if k != "LD_PRELOAD"})
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_package_library_and_project_have_one_version(self):
        self.assertIn(f"libkizunasr {kizunasr.__version__}", kizunasr.library_versions())
        with open(os.path.join(counting.PACKAGE, "pyproject.toml"), encoding="utf-8") as f:
            self.assertIn(f'version = "{kizunasr.__version__}"', f.read())

    def test_library_that_cannot_be_loaded(self):
        done = subprocess.run([sys.executable, "-c", "import kizunasr; kizunasr.library_versions()"],
                              env={**os.environ, "KIZUNASR_LIBRARY": "/nowhere/lib.so"},
                              capture_output=True, text=True, check=False)
        self.assertIn("ImportError: the KizunaSR library cannot be loaded: /nowhere/lib.so",
                      done.stderr)
        self.assertIn("KIZUNASR_LIBRARY", done.stderr)


class Settings(Films):
    def fields(self):
        """The library's own list: (object, name, type, default)."""
        count = _library.c.c_size_t()
        first = _library.library().ksr_config_fields(_library.c.byref(count))
        for i in range(count.value):
            f = first[i]
            yield f.object.decode(), f.name.decode(), f.type.decode(), f.default_value.decode()

    def test_every_field_of_the_library_is_there_with_its_default(self):
        objects = {"pipeline": kizunasr.PipelineConfig(), "encoder": kizunasr.EncoderConfig(),
                   "processor": kizunasr.OfflineProcessorConfig("a", "b")}
        listed = set()
        for part, name, kind, default in self.fields():
            listed.add((part, name))
            self.assertTrue(hasattr(objects[part], name), f"{part}.{name} is missing")
            value = getattr(objects[part], name)
            if name in ("input_path", "output_path", "encoder_options"):
                continue
            if isinstance(value, kizunasr.Auto):
                self.assertEqual(default, "auto", name)
            elif default == "auto":
                self.assertEqual(value, default, name)
            elif kind in C_TYPES:
                self.assertIs(type(value), C_TYPES[kind], name)
                self.assertEqual(float(value), float({"true": 1, "false": 0}.get(default, default)),
                                 name)
            else:
                self.assertEqual(value or "", default, name)
        ours = {(part, f.name) for part, o in objects.items() for f in dataclasses.fields(o)}
        self.assertEqual(ours - listed,
                         {("processor", "pipeline_config"), ("processor", "encoder_config")})

    def test_every_field_reaches_the_library(self):
        for part, name, kind, default in self.fields():
            config = kizunasr.OfflineProcessorConfig("film.mp4", "out.mkv")
            target = {"pipeline": config.pipeline_config, "encoder": config.encoder_config,
                      "processor": config}[part]
            if kind in ("int", "number"):
                setattr(target, name, 99999)
                wanted = f"{name}: '99999' is not valid"
            elif kind == "bool":
                setattr(target, name, "perhaps")
                wanted = f"{name}: 'perhaps' is not valid"
            elif kind == "map":
                setattr(target, name, {"": "x"})
                wanted = f"{name}: '=x' is not valid"
            else:
                continue
            with self.assertRaises(ValueError) as caught:
                kizunasr.OfflineVideoProcessor(config).process()
            self.assertIn(wanted, str(caught.exception))

    def test_unknown_names(self):
        for make in (kizunasr.PipelineConfig, kizunasr.EncoderConfig, kizunasr.RunOptions,
                     lambda: kizunasr.OfflineProcessorConfig("a", "b")):
            with self.assertRaises(AttributeError):
                make().no_such_field = 1
        with self.assertRaises(TypeError):
            kizunasr.EncoderConfig(quality=3)

    def test_wrong_kinds(self):
        with self.assertRaises(TypeError):
            kizunasr.OfflineVideoProcessor({"input_path": "film.mp4"})
        config = kizunasr.OfflineProcessorConfig("film.mp4", "out.mp4", pipeline_config={})
        with self.assertRaisesRegex(TypeError, "expected PipelineConfig, got dict"):
            kizunasr.OfflineVideoProcessor(config).process()
        config = config_of("film.mp4", "out.mp4", preset=["fast"])
        with self.assertRaisesRegex(TypeError, "preset"):
            kizunasr.OfflineVideoProcessor(config).process()
        with self.assertRaisesRegex(ValueError, "null character"):
            process("film.mp4\0.txt", "out.mp4")

    def test_defaults_that_give_way(self):
        counting.make_film("ten.mkv", "--vcodec", "ffv1", "--pixel-format", "yuv420p10le",
                           "--frames", "2")
        process("ten.mkv", "out.mkv")
        info = kizunasr.probe("out.mkv")
        self.assertEqual(info["video"]["pixel_format"], "yuv420p10le")
        self.assertEqual(info["format"], "matroska,webm")
        process("ten.mkv", "out-mp4.mkv", pixel_format="yuv420p", format="mp4")
        info = kizunasr.probe("out-mp4.mkv")
        self.assertEqual(info["video"]["pixel_format"], "yuv420p")
        self.assertIn("mp4", info["format"])
        process("out.mkv", "one%03d.png", preset="medium")
        self.assertTrue(os.path.exists("one001.png"))
        with self.assertRaisesRegex(ValueError, "codec: libx264 does not go into image files"):
            process("out.mkv", "two%03d.png", codec="libx264", preset="medium")
        same = pickle.loads(pickle.dumps(dataclasses.replace(kizunasr.EncoderConfig(), crf=20)))
        self.assertIsInstance(same.pixel_format, kizunasr.Auto)
        self.assertEqual(repr(same.format), "'mp4'")

    def test_settings_take_effect(self):
        config = config_of("film.mp4", "out.mkv", encoder_options={"g": 2, "bf": 0})
        config.pipeline_config.fit = "100x100"
        config.start, config.duration = "0.1", "0.2"
        result = kizunasr.OfflineVideoProcessor(config).process()
        self.assertEqual((result.width, result.height), (100, 76))
        self.assertEqual(result.frames, 5)
        self.assertEqual(kizunasr.probe("out.mkv")["video"]["keyframes"], 3)

    def test_paths_of_every_kind(self):
        import pathlib
        os.mkdir("out folder")
        shutil.copy("film.mp4", "out folder/日本 100%.mp4")
        shutil.copy("film.mp4", "null")
        process(pathlib.Path("out folder") / "日本 100%.mp4", pathlib.Path("out folder/ö.mkv"))
        self.assertTrue(os.path.exists("out folder/ö.mkv"))
        self.assertEqual(process("null", "out.mkv").frames, 12)
        os.remove("null")


class Runs(Films):
    def test_result(self):
        result = process("film.mp4", "out.mp4")
        self.assertEqual(
            result, kizunasr.ProcessingResult(
                frames=12, frames_repeated=0, frames_skipped=0, segments=1, segments_reused=0,
                width=128, height=96, output_size=os.path.getsize("out.mp4"), warnings=0,
                already_done=False, engine="", devices=result.devices))
        self.assertTrue(result.devices)

    def test_devices(self):
        process("film.mp4", "out.mp4")
        with open("out.mp4", "rb") as file:
            first = file.read()
        result = process("film.mp4", "out.mp4", kizunasr.RunOptions(device="vulkan:15,cpu", overwrite=True))
        self.assertEqual((result.devices, result.warnings), ("cpu", 1))
        with open("out.mp4", "rb") as file:
            self.assertEqual(file.read(), first)
        with self.assertRaisesRegex(ValueError, "device: 'gpu' is not one of auto, all, cpu, vulkan"):
            process("film.mp4", "out2.mp4", kizunasr.RunOptions(device="gpu"))

    def test_output_exists(self):
        process("film.mp4", "out.mp4", kizunasr.RunOptions(keep_work=True))
        self.assertTrue(process("film.mp4", "out.mp4").already_done)
        shutil.rmtree("out.mp4.kizunasr", ignore_errors=True)
        with self.assertRaises(FileExistsError) as caught:
            process("film.mp4", "out.mp4")
        self.assertEqual(str(caught.exception),
                         "Output file exists: out.mp4 (use overwrite=True to replace it)")
        process("film.mp4", "out.mp4", kizunasr.RunOptions(overwrite=True))

    def test_provenance(self):
        process("film.mp4", "out.mp4", kizunasr.RunOptions(provenance="out.json"))
        with open("out.json", encoding="utf-8") as f:
            self.assertEqual(json.load(f)["output"]["frames"], 12)

    def test_date(self):
        os.utime("film.mp4", ns=(10**18, 10**18 + 7))
        process("film.mp4", "out.mp4", kizunasr.RunOptions(keep_date=True))
        self.assertEqual(os.stat("out.mp4").st_mtime_ns, 10**18 + 7)

    def test_pipe(self):
        with open("film.mp4", "rb") as f:
            film = f.read()
        os.mkfifo("out-fifo")
        for limit in (0, 1000):
            writer = threading.Thread(target=self.feed, args=("out-fifo", film))
            writer.start()
            options = kizunasr.RunOptions(spool_limit=limit, overwrite=True)
            if limit:
                with self.assertRaisesRegex(kizunasr.InputError, "1000 bytes, the limit set by spool_limit"):
                    process("out-fifo", "out.mp4", options)
            else:
                self.assertEqual(process("out-fifo", "out.mp4", options).frames, 12)
            writer.join()

    @staticmethod
    def feed(path, data):
        try:
            with open(path, "wb") as f:
                f.write(data)
        except BrokenPipeError:
            pass

    def test_other_job_in_the_folder(self):
        os.mkdir("out-work")
        options = kizunasr.RunOptions(work_dir="out-work", keep_work=True)
        process("film.mp4", "out.mp4", options)
        os.remove("out.mp4")
        with self.assertRaisesRegex(ValueError, r"crf differs \(use fresh=True to start over\)"):
            process("film.mp4", "out.mp4", options, crf=30)

    def test_errors(self):
        with open("out-text.mp4", "w", encoding="ascii") as f:
            f.write("no film\n" * 100)
        with self.assertRaises(kizunasr.InputError):
            process("out-text.mp4", "out.mp4")
        with self.assertRaisesRegex(kizunasr.OutputError, "Output folder not found"):
            process("film.mp4", "out-missing/out.mp4")
        config = config_of("film.mp4", "out.mp4")
        config.pipeline_config.use_ai = True
        config.pipeline_config.ai_model_path = "out-missing.ksrnet"
        with self.assertRaisesRegex(kizunasr.ModelError, "Model not found"):
            kizunasr.OfflineVideoProcessor(config).process()

    def test_progress_comes_on_the_caller_s_thread(self):
        seen, threads = [], set()

        def note(progress):
            seen.append(progress)
            threads.add(threading.get_ident())

        process("film.mp4", "out.mp4", progress=note)
        self.assertEqual(threads, {threading.get_ident()})
        work = [p.done for p in seen if p.phase == "work"]
        self.assertEqual((work, {p.total for p in seen if p.phase == "work"}),
                         (sorted(work), {12}))
        self.assertEqual(work[-1], 12)
        self.assertLessEqual({"plan", "work", "join", "verify"}, {p.phase for p in seen})

    def test_messages_go_to_logging(self):
        with self.assertLogs("kizunasr", logging.INFO) as logs:
            process("film.mp4", "out.mp4", codec="mpeg4", preset="medium")
        self.assertIn("WARNING:kizunasr:the output of mpeg4 may differ from run to run",
                      logs.output)
        self.assertTrue(any(line.startswith("INFO:kizunasr:64x48") for line in logs.output))

    def test_frame_errors_are_logged_and_raised(self):
        subprocess.run([counting.SAMPLE, "--width", "64", "--height", "48", "--frames", "12",
                        "--vcodec", "mjpeg", "--video-option", "sc_threshold=1000000000", "out-bad.avi"], check=True,
                       stdout=subprocess.DEVNULL)
        with open("out-bad.avi", "rb") as f:
            data = bytearray(f.read())
        place = -1
        for _ in range(6):  # the data of frame 5
            place = data.index(b"\xff\xd8\xff", place + 1)
        end = data.index(b"\xff\xd8\xff", place + 1) - 32
        data[place:end] = bytes(end - place)
        with open("out-bad.avi", "wb") as f:
            f.write(data)
        with self.assertLogs("kizunasr", logging.ERROR) as logs:
            with self.assertRaisesRegex(kizunasr.ProcessingError, "Frame 5 .*on_frame_error="):
                process("out-bad.avi", "out.mkv")
        self.assertIn("frame 5", logs.output[0])
        config = config_of("out-bad.avi", "out.mkv")
        config.on_frame_error = "repeat"
        result = kizunasr.OfflineVideoProcessor(config, options=kizunasr.RunOptions(
            fresh=True)).process()
        self.assertEqual((result.frames, result.frames_repeated), (12, 1))

    def test_model_is_loaded_once(self):
        """Checking it before the work, and the worker, are one loading."""
        config = config_of("film.mp4", "out.mkv")
        config.pipeline_config.use_ai = True
        config.pipeline_config.ai_model_path = os.path.join(counting.ROOT, "models",
                                                            "anime-fast.onnx")
        with self.assertLogs("kizunasr", logging.DEBUG) as logs:
            try:
                kizunasr.OfflineVideoProcessor(
                    config, options=kizunasr.RunOptions(workers=1)).process()
            except kizunasr.ModelError as error:
                logging.getLogger("kizunasr").debug("%s", error)
                self.skipTest(str(error))
        self.assertEqual(sum("is loaded" in line for line in logs.output), 1)

    def test_exception_in_the_callback_ends_the_run(self):
        def stop(progress):
            if progress.phase == "work" and progress.done > 30:
                raise LookupError("enough")

        with self.assertRaisesRegex(LookupError, "enough"):
            process("long.mkv", "out.mkv", progress=stop)
        self.assertFalse(os.path.exists("out.mkv"))
        self.assertTrue(os.path.isdir("out.mkv.kizunasr"))

    def test_cancel_then_resume(self):
        processor = kizunasr.OfflineVideoProcessor(
            config_of("long.mkv", "out.mkv"), options=kizunasr.RunOptions(workers=1),
            progress_callback=lambda p: p.done > 200 and p.phase == "work" and processor.cancel())
        with self.assertRaises(kizunasr.Cancelled):
            processor.process()
        processor.progress_callback = None
        result = processor.process()
        self.assertGreater(result.segments_reused, 0)
        process("long.mkv", "out-whole.mkv")
        with open("out.mkv", "rb") as a, open("out-whole.mkv", "rb") as b:
            self.assertEqual(a.read(), b.read())

    def test_ctrl_c_stops_and_resumes(self):
        program = ("import sys, kizunasr as k\n"
                   "def note(p):\n"
                   "    if p.phase == 'work': print(p.done, flush=True)\n"
                   "c = k.OfflineProcessorConfig('long.mkv', 'out.mkv')\n"
                   "c.encoder_config.preset = 'ultrafast'\n"
                   "k.OfflineVideoProcessor(c, progress_callback=note).process()\n")
        child = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE,
                                 stderr=subprocess.PIPE, text=True)
        while int(child.stdout.readline()) < 20:
            pass
        child.send_signal(signal.SIGINT)
        _, error = child.communicate(timeout=60)
        self.assertIn("KeyboardInterrupt", error)
        self.assertEqual(child.returncode, -signal.SIGINT)
        self.assertFalse(os.path.exists("out.mkv"))
        self.assertTrue(os.path.isdir("out.mkv.kizunasr"))
        self.assertEqual(process("long.mkv", "out.mkv").frames, 432)

    def test_one_processor_runs_once_at_a_time(self):
        processor = kizunasr.OfflineVideoProcessor(config_of("film.mp4", "out.mp4"))
        wrong = []

        def again(_progress):
            try:
                processor.process()
            except RuntimeError as error:
                wrong.append(str(error))

        processor.progress_callback = again
        processor.process()
        self.assertEqual(set(wrong), {"process() is running already"})


class Frames(Films):
    def test_description(self):
        with kizunasr.VideoDecoder("film.mp4") as d:
            self.assertEqual((d.total_frames, len(d), d.width, d.height), (12, 12, 64, 48))
            self.assertEqual((d.pixel_format, d.frame_rate, d.fps), ("yuv420p", Fraction(24), 24.0))
            self.assertEqual(d.sample_aspect_ratio, Fraction(1))
            self.assertIsInstance(d.time_base, Fraction)

    def test_frames(self):
        with kizunasr.VideoDecoder("film.mp4") as d:
            frames = list(d)
            self.assertEqual(list(d), [])
            d.seek(0)
            self.assertEqual(sum(1 for _ in d), 12)
        self.assertEqual([f.frame_index for f in frames], list(range(12)))
        for f in frames:
            self.assertEqual((f.data.shape, f.data.dtype), ((48, 64, 3), np.uint8))
            self.assertTrue(f.data.flags.c_contiguous and f.data.flags.writeable)
            self.assertEqual((f.width, f.height, f.damaged), (64, 48, False))
            self.assertAlmostEqual(f.time, f.frame_index / 24)
            self.assertEqual(f.pts * d.time_base, Fraction(f.frame_index, 24))
            self.assertEqual(f.duration * d.time_base, Fraction(1, 24))
        self.assertGreater(np.ptp(frames[0].data), 100)

    def test_seeking_gives_what_reading_gives(self):
        """Closed and open groups of pictures, and a film that is indexed by decoding."""
        counting.make_film("open.mkv", "--frames", "40", "--gop", "12", "--open-gop")
        counting.make_film("linear.avi", "--frames", "40", "--gop", "12", "--vcodec", "mpeg4",
                           "--bframes", "2")
        for name, places in (("long.mkv", (300, 7, 299, 24, 431)), ("open.mkv", (30, 13, 12, 11, 39)),
                             ("linear.avi", (5, 39, 12))):
            with kizunasr.VideoDecoder(name) as d:
                linear = {f.frame_index: (f.pts, f.data.tobytes()) for f in d}
                self.assertEqual(len(linear), d.total_frames)
                for place in places:
                    d.seek(place)
                    for want in range(place, min(place + 3, d.total_frames)):
                        f = d.read()
                        self.assertEqual((f.frame_index, f.pts, f.data.tobytes()),
                                         (want, *linear[want]), f"{name} frame {want}")

    def test_uneven_durations(self):
        counting.make_film("vfr.mkv", "--vfr")
        with kizunasr.VideoDecoder("vfr.mkv") as d:
            frames = list(d)
        self.assertGreater(len({f.duration for f in frames}), 1)
        for a, b in zip(frames, frames[1:]):
            self.assertEqual(a.pts + a.duration, b.pts)

    def test_sixteen_bits(self):
        with kizunasr.VideoDecoder("film.mp4") as eight, \
                kizunasr.VideoDecoder("film.mp4", bits=16) as sixteen:
            for a, b in zip(eight, sixteen):
                self.assertEqual(b.data.dtype, np.uint16)
                self.assertLessEqual(np.abs(a.data - b.data / 257).max(), 0.51)
        with self.assertRaisesRegex(ValueError, "bits: '10' is not valid"):
            kizunasr.VideoDecoder("film.mp4", bits=10)

    @unittest.skipUnless(shutil.which("ffmpeg"), "no ffmpeg")
    def test_colours_are_those_of_another_converter(self):
        """FFmpeg's scaler with its exact settings, within its rounding, away from edges of chroma."""
        for matrix, pixels in (("bt709", "yuv444p"), ("smpte170m", "yuv444p"),
                               ("bt2020nc", "yuv420p10le")):
            counting.make_film("colour.mkv", "--frames", "2", "--vcodec", "ffv1", "--matrix", matrix,
                               "--pixel-format", pixels)
            raw = subprocess.run(
                ["ffmpeg", "-v", "error", "-i", "colour.mkv", "-fps_mode", "passthrough",
                 "-vf", "scale=flags=bicubic+accurate_rnd+full_chroma_int+full_chroma_inp+bitexact",
                 "-f", "rawvideo", "-pix_fmt", "rgb24", "-"], capture_output=True, check=True).stdout
            theirs = np.frombuffer(raw, np.uint8).reshape(-1, 48, 64, 3).astype(int)
            with kizunasr.VideoDecoder("colour.mkv") as d:
                ours = np.stack([f.data for f in d]).astype(int)
            difference = np.abs(ours - theirs)
            # Subsampled chroma is interpolated differently by the two.
            self.assertLess(difference.mean(), 1 if pixels == "yuv444p" else 2, matrix)
            if pixels == "yuv444p":
                self.assertLessEqual(difference.max(), 3, matrix)

    def test_use_after_close(self):
        d = kizunasr.VideoDecoder("film.mp4")
        d.close()
        d.close()
        for action in (d.read, lambda: d.seek(0)):
            with self.assertRaisesRegex(ValueError, "closed"):
                action()

    def test_seek_out_of_range(self):
        with kizunasr.VideoDecoder("film.mp4") as d:
            d.seek(12)
            self.assertIsNone(d.read())
            for place in (-1, 13):
                with self.assertRaises(ValueError):
                    d.seek(place)

    def test_probe_and_verify(self):
        process("film.mp4", "out.mp4")
        self.assertEqual(kizunasr.probe("out.mp4")["video"]["frames"], 12)
        self.assertTrue(kizunasr.verify("film.mp4", "out.mp4")["passed"])
        wrong = kizunasr.verify("long.mkv", "out.mp4")
        self.assertFalse(wrong["passed"])
        self.assertIn("frames", [c["name"] for c in wrong["checks"] if not c["passed"]])
        with self.assertRaisesRegex(FileNotFoundError, "Input file not found: out-none.mp4"):
            kizunasr.probe("out-none.mp4")

    def test_one_frame_of_each_field(self):
        config = config_of("film.mp4", "out.mp4")
        config.pipeline_config.deinterlace = "field"
        self.assertEqual(kizunasr.OfflineVideoProcessor(config).process().frames, 24)
        self.assertTrue(kizunasr.verify("film.mp4", "out.mp4", deinterlace="field")["passed"])
        self.assertTrue(kizunasr.report("film.mp4", "out.mp4", "out.html", deinterlace="field"))
        self.assertFalse(kizunasr.verify("film.mp4", "out.mp4", deinterlace="frame")["passed"])
        with self.assertRaisesRegex(ValueError, "deinterlace: 'fields' is not valid"):
            kizunasr.verify("film.mp4", "out.mp4", deinterlace="fields")
        config.pipeline_config.deinterlace = "fields"
        with self.assertRaisesRegex(ValueError, "deinterlace: 'fields' is not valid"):
            kizunasr.OfflineVideoProcessor(config).process()

    def test_report(self):
        process("film.mp4", "out.mp4")
        seen = []
        self.assertTrue(kizunasr.report("film.mp4", "out.mp4", "out.html", frames=[3], times=["0:00.2"],
                                        scene_cuts=0, progress_callback=seen.append))
        with open("out.html", encoding="utf-8") as f:
            page = f.read()
        self.assertTrue(page.startswith("<!doctype html>") or page.startswith("<!DOCTYPE html>"))
        self.assertIn("verify", {p.phase for p in seen})
        self.assertFalse(kizunasr.report("long.mkv", "out.mp4", "out.html"))
        with self.assertRaisesRegex(ValueError, "12"):
            kizunasr.report("film.mp4", "out.mp4", "out-2.html", frames=[12])
        with self.assertRaisesRegex(kizunasr.OutputError, "out-none/page.html"):
            kizunasr.report("film.mp4", "out.mp4", "out-none/page.html")
        self.assertFalse(os.path.exists("out-2.html"))

    def test_preview(self):
        config = kizunasr.OfflineProcessorConfig("film.mp4", "out.mp4")
        config.encoder_config.preset = "ultrafast"
        result = kizunasr.preview(config, "out-preview", samples=1, seconds=0.2,
                                  options=kizunasr.RunOptions(threads=1))
        self.assertEqual(sorted(os.listdir("out-preview")), ["report-1.html", "sample-1.json", "sample-1.mkv"])
        self.assertFalse(os.path.exists("out.mp4"))
        self.assertEqual((result.samples, result.film_frames, result.passed), (1, 12, True))
        self.assertGreater(result.frames, 0)
        self.assertGreater(result.bytes, 0)

    def test_decoders_do_not_leak(self):
        def resident():
            with open("/proc/self/statm", encoding="ascii") as f:
                return int(f.read().split()[1]) * 4096

        if counting.SANITIZED:
            return  # sanitizers keep freed memory
        for round_ in range(40):
            with kizunasr.VideoDecoder("film.mp4") as d:
                frames = list(d)
            if round_ == 9:
                before = resident()
        self.assertEqual(len(frames), 12)
        self.assertLess(resident() - before, 8 << 20)


class Old(Films):
    def test_import_paths_of_programs_that_exist(self):
        program = ("from tools.offline_processor import OfflineVideoProcessor,"
                   " OfflineProcessorConfig, EncoderConfig\n"
                   "from core.pipeline import PipelineConfig\n"
                   "from runtime.video import VideoDecoder\n"
                   "import kizunasr\n"
                   "assert PipelineConfig is kizunasr.PipelineConfig\n"
                   "assert VideoDecoder is kizunasr.VideoDecoder\n")
        # Also from the root of the project, which has a folder of the name tools.
        for folder in (".", counting.ROOT):
            done = subprocess.run([sys.executable, "-c", program], cwd=folder, check=False,
                                  capture_output=True, text=True)
            self.assertEqual((done.returncode, done.stderr), (0, ""))


if __name__ == "__main__":
    counting.main()
