"""The C library: where it is found, and the part of its headers that this package uses.

Everything here mirrors include/kizunasr/*.h; the tests compare the structs with a C compiler's.
"""

from __future__ import annotations

import ctypes as c
import functools
import os
import sys
import sysconfig
from pathlib import Path
from typing import Iterator

VERSION = "0.1.0"
SONAME = "libkizunasr.0.dylib" if sys.platform == "darwin" else "libkizunasr.so.0"

# enum ksr_status
OK, E_PARAM, E_NOMEM, E_INPUT, E_OUTPUT, E_MODEL = 0, -1, -2, -3, -4, -5
E_VERIFY, E_CANCELLED, E_PROCESS, E_MISMATCH, E_BUSY = -6, -7, -8, -9, -10
E_EXISTS, E_NOT_FOUND = -11, -12

# enum ksr_log_level
LOG_ERROR, LOG_WARNING, LOG_INFO, LOG_DEBUG = 0, 1, 2, 3

# enum ksr_option_style
OPTIONS_AS_KEYWORDS = 2

# enum ksr_phase
PHASES = ("plan", "work", "join", "verify")


class Progress(c.Structure):
    _name_ = "ksr_progress"
    _fields_ = [("phase", c.c_int), ("done", c.c_int64), ("total", c.c_int64),
                ("reused", c.c_int64), ("output_size", c.c_int64), ("devices", c.c_char * 16)]


LOG_CALLBACK = c.CFUNCTYPE(None, c.c_void_p, c.c_int, c.c_char_p)
PROGRESS_CALLBACK = c.CFUNCTYPE(None, c.c_void_p, c.POINTER(Progress))


class Callbacks(c.Structure):
    _name_ = "ksr_callbacks"
    _fields_ = [("log", LOG_CALLBACK), ("progress", PROGRESS_CALLBACK), ("opaque", c.c_void_p)]


class RunOptions(c.Structure):
    _name_ = "ksr_run_options"
    _fields_ = [("threads", c.c_int), ("workers", c.c_int), ("device", c.c_char_p),
                ("work_dir", c.c_char_p), ("keep_work", c.c_bool), ("fresh", c.c_bool),
                ("overwrite", c.c_bool), ("provenance", c.c_char_p),
                ("onnxruntime_library", c.c_char_p), ("stage_times", c.c_char_p),
                ("accept", c.c_bool), ("keep_date", c.c_bool),
                ("spool_limit", c.c_int64)]


class Result(c.Structure):
    _name_ = "ksr_result"
    _fields_ = [("frames", c.c_int64), ("frames_repeated", c.c_int64),
                ("frames_skipped", c.c_int64), ("segments", c.c_int),
                ("segments_reused", c.c_int), ("width", c.c_int), ("height", c.c_int),
                ("output_size", c.c_int64), ("warnings", c.c_int), ("already_done", c.c_bool),
                ("engine", c.c_char * 96), ("accepted", c.c_bool),
                ("devices", c.c_char * 224)]


# What is handed to the library has room to spare: members that a newer one has added are zero, which
# means their defaults, and what it writes there goes nowhere.


class RunOptionsWithRoom(RunOptions):
    _fields_ = [("room", c.c_char * 256)]


class ResultWithRoom(Result):
    _fields_ = [("room", c.c_char * 256)]


class VerifyOptions(c.Structure):
    _name_ = "ksr_verify_options"
    _fields_ = [("provenance", c.c_char_p), ("start", c.c_char_p), ("duration", c.c_char_p),
                ("deinterlace", c.c_int), ("inverse_telecine", c.c_int), ("frames", c.c_bool),
                ("rotated", c.c_bool), ("no_grain", c.c_bool), ("crop", c.c_char_p), ("video", c.c_int),
                ("audio", c.c_char_p), ("subs", c.c_char_p), ("sub", c.c_char_p)]


class VerifyOptionsWithRoom(VerifyOptions):
    _fields_ = [("room", c.c_char * 256)]


class ReportOptions(c.Structure):
    _name_ = "ksr_report_options"
    _fields_ = [("verify", VerifyOptions), ("frames", c.POINTER(c.c_int64)),
                ("frame_count", c.c_size_t), ("times", c.POINTER(c.c_char_p)),
                ("time_count", c.c_size_t), ("scene_cuts", c.c_int), ("stage_times", c.c_char_p),
                ("estimated_seconds", c.c_double), ("estimated_bytes", c.c_double),
                ("estimate_text", c.c_char_p), ("without", c.c_char_p)]


class PreviewOptions(c.Structure):
    _name_ = "ksr_preview_options"
    _fields_ = [("samples", c.c_int), ("seconds", c.c_double), ("folder", c.c_char_p),
                ("run", RunOptions)]


class PreviewResult(c.Structure):
    _name_ = "ksr_preview_result"
    _fields_ = [("samples", c.c_int), ("frames", c.c_int64), ("film_frames", c.c_int64),
                *((name, c.c_double)
                  for name in ("frames_per_second", "seconds", "slowest_seconds", "fastest_seconds",
                               "bytes", "smallest_bytes", "largest_bytes")),
                ("passed", c.c_bool)]


class ReportOptionsWithRoom(ReportOptions):
    _fields_ = [("room", c.c_char * 256)]


class PreviewOptionsWithRoom(PreviewOptions):
    _fields_ = [("room", c.c_char * 256)]


class PreviewResultWithRoom(PreviewResult):
    _fields_ = [("room", c.c_char * 256)]


class ConfigField(c.Structure):
    _name_ = "ksr_config_field"
    _fields_ = [*[(name, c.c_char_p)
                  for name in ("object", "name", "type", "range", "default_value", "help")],
                ("minimum", c.c_double), ("maximum", c.c_double), ("takes_auto", c.c_bool),
                ("nullable", c.c_bool), ("choices", c.POINTER(c.c_char_p)), ("group", c.c_char_p),
                ("value_name", c.c_char_p), ("suggestions", c.POINTER(c.c_char_p)),
                ("brief", c.c_char_p)]


class DecoderParams(c.Structure):
    _name_ = "ksr_decoder_params"
    _fields_ = [("bits", c.c_int)]


class DecoderInfo(c.Structure):
    _name_ = "ksr_decoder_info"
    _fields_ = [("total_frames", c.c_int64), ("width", c.c_int), ("height", c.c_int),
                ("pixel_format", c.c_char_p),
                ("time_base_num", c.c_int), ("time_base_den", c.c_int),
                ("frame_rate_num", c.c_int), ("frame_rate_den", c.c_int),
                ("sample_aspect_num", c.c_int), ("sample_aspect_den", c.c_int)]


class Picture(c.Structure):
    _name_ = "ksr_picture"
    _fields_ = [("frame_index", c.c_int64), ("pts", c.c_int64), ("duration", c.c_int64),
                ("width", c.c_int), ("height", c.c_int), ("bits", c.c_int),
                ("damaged", c.c_bool), ("data", c.c_void_p), ("stride", c.c_ssize_t)]


FRAME_PLANES = 4


class FrameFormat(c.Structure):
    _name_ = "ksr_frame_format"
    _fields_ = [("width", c.c_int), ("height", c.c_int), ("pixel_format", c.c_char_p),
                ("range", c.c_char_p), ("matrix", c.c_char_p), ("chroma_location", c.c_char_p),
                ("sample_aspect_num", c.c_int), ("sample_aspect_den", c.c_int)]


class FrameFormatWithRoom(FrameFormat):
    _fields_ = [("room", c.c_char * 256)]


class FramePlanes(c.Structure):
    _name_ = "ksr_frame_planes"
    _fields_ = [("plane", c.c_void_p * FRAME_PLANES), ("stride", c.c_ssize_t * FRAME_PLANES)]


class UpscalerInfo(c.Structure):
    _name_ = "ksr_upscaler_info"
    _fields_ = [("input", FrameFormat), ("output", FrameFormat),
                ("input_planes", c.c_int), ("output_planes", c.c_int),
                ("input_row_bytes", c.c_size_t * FRAME_PLANES),
                ("output_row_bytes", c.c_size_t * FRAME_PLANES),
                ("input_rows", c.c_int * FRAME_PLANES), ("output_rows", c.c_int * FRAME_PLANES),
                ("input_sample_bytes", c.c_int), ("output_sample_bytes", c.c_int),
                ("delay", c.c_int), ("warmup", c.c_int), ("engine", c.c_char * 96)]


HANDLE = c.c_void_p  # of a context, a configuration, a decoder, an upscaler
OUT = c.POINTER(c.c_void_p)

_FUNCTIONS = {
    "ksr_version": (c.c_char_p, []),
    "ksr_library_versions": (c.c_char_p, []),
    "ksr_status_name": (c.c_char_p, [c.c_int]),
    "ksr_free": (None, [c.c_void_p]),
    "ksr_context_create": (c.c_int, [OUT, c.POINTER(Callbacks)]),
    "ksr_context_destroy": (None, [OUT]),
    "ksr_context_cancel": (None, [HANDLE]),
    "ksr_context_name_options": (None, [HANDLE, c.c_int]),
    "ksr_config_fields": (c.POINTER(ConfigField), [c.POINTER(c.c_size_t)]),
    "ksr_config_create": (c.c_int, [OUT, HANDLE]),
    "ksr_config_destroy": (None, [OUT]),
    "ksr_config_set": (c.c_int, [HANDLE, c.c_char_p, c.c_char_p]),
    "ksr_config_get": (c.c_void_p, [HANDLE]),
    "ksr_upscale": (c.c_int, [HANDLE, c.c_void_p, c.POINTER(RunOptions), c.POINTER(Result)]),
    "ksr_probe": (c.c_int, [HANDLE, c.c_char_p, OUT]),
    "ksr_config_json": (c.c_int, [c.c_void_p, OUT]),
    "ksr_config_source": (c.c_int, [HANDLE, c.c_char_p]),
    "ksr_source_find": (c.c_int, [HANDLE, c.c_char_p, c.c_int, OUT]),
    "ksr_probe_picture": (c.c_int, [HANDLE, c.c_char_p, OUT]),
    "ksr_verify": (c.c_int, [HANDLE, c.c_char_p, c.c_char_p, c.POINTER(VerifyOptions), OUT]),
    "ksr_report": (c.c_int, [HANDLE, c.c_char_p, c.c_char_p, c.POINTER(ReportOptions), c.c_char_p,
                             c.POINTER(c.c_bool)]),
    "ksr_preview": (c.c_int, [HANDLE, c.c_void_p, c.POINTER(PreviewOptions),
                              c.POINTER(PreviewResult)]),
    "ksr_decoder_open": (c.c_int, [OUT, HANDLE, c.c_char_p, c.POINTER(DecoderParams)]),
    "ksr_decoder_destroy": (None, [OUT]),
    "ksr_decoder_info": (c.POINTER(DecoderInfo), [HANDLE]),
    "ksr_decoder_next": (c.c_int, [HANDLE, c.POINTER(c.POINTER(Picture))]),
    "ksr_decoder_seek": (c.c_int, [HANDLE, c.c_int64]),
    "ksr_upscaler_create": (c.c_int, [OUT, HANDLE, c.c_void_p, c.POINTER(FrameFormat),
                                      c.POINTER(RunOptions)]),
    "ksr_upscaler_destroy": (None, [OUT]),
    "ksr_upscaler_info": (c.POINTER(UpscalerInfo), [HANDLE]),
    "ksr_upscaler_device": (c.c_char_p, [HANDLE]),
    "ksr_upscaler_frame": (c.c_int, [HANDLE, c.c_int64, c.POINTER(FramePlanes),
                                     c.POINTER(FramePlanes)]),
    "ksr_upscaler_push": (c.c_int, [HANDLE, c.c_int64, c.POINTER(FramePlanes)]),
    "ksr_upscaler_pull": (c.c_int, [HANDLE, c.POINTER(FramePlanes), c.POINTER(c.c_int64)]),
    "ksr_upscaler_warm_up": (c.c_int, [HANDLE, c.c_int64, c.POINTER(FramePlanes)]),
    "ksr_upscaler_held": (c.c_int, [HANDLE]),
    "ksr_upscaler_reset": (None, [HANDLE]),
}


def _checkouts() -> Iterator[Path]:
    """The checkout this file lies in, or the one it was installed from."""
    yield Path(__file__).resolve().parents[3]
    try:
        from ._checkout import CHECKOUT
    except ImportError:
        return
    yield Path(CHECKOUT)


def _candidates() -> Iterator[str]:
    given = os.environ.get("KIZUNASR_LIBRARY")
    if given:
        yield given
        return
    carried = Path(__file__).resolve().parent / "lib" / SONAME  # in a wheel of packaging/wheel
    if carried.exists():
        yield str(carried)
        return
    for checkout in _checkouts():
        built = checkout / "build" / "src" / SONAME
        if (checkout / "include" / "kizunasr").is_dir() and built.exists():
            yield str(built)
    yield SONAME  # where the dynamic loader looks
    for folder in ("lib", f"lib/{sysconfig.get_config_var('MULTIARCH')}", "lib64"):
        installed = Path("/usr/local") / folder / SONAME
        if installed.exists():
            yield str(installed)


def _open() -> c.CDLL:
    reasons = []
    for name in _candidates():
        try:
            return c.CDLL(name)
        except OSError as error:
            reasons.append(str(error))
    raise ImportError("the KizunaSR library cannot be loaded: " + "; ".join(reasons) +
                      " (build it with make, install it with make install, or name it in the"
                      " variable KIZUNASR_LIBRARY)")


@functools.lru_cache(maxsize=None)
def library() -> c.CDLL:
    """Returns the loaded library. Raises ImportError when it is missing or of another version."""
    lib = _open()
    for name, (result, arguments) in _FUNCTIONS.items():
        try:
            function = getattr(lib, name)
        except AttributeError:
            raise ImportError(f"{lib._name} has no {name}: it is another version") from None
        function.restype, function.argtypes = result, arguments
    version = lib.ksr_version().decode()
    if version.split(".")[:2] != VERSION.split(".")[:2]:
        raise ImportError(f"the Python package is version {VERSION}, {lib._name} is {version}")
    return lib


def encode(text: str | os.PathLike[str]) -> bytes:
    """Text or a path as C takes it."""
    data = os.fsencode(text)
    if b"\0" in data:
        raise ValueError(f"{text!r} has a null character in it")
    return data
