"""HTML reports of a finished output, and of samples before a long run."""

from __future__ import annotations

import ctypes
import os
from dataclasses import dataclass
from typing import Optional, Sequence, Union

from . import _library as _c
from ._context import Context, ProgressCallback
from .config import NativeConfig, OfflineProcessorConfig, RunOptions, deinterlace_mode, telecine_mode

Path = Union[str, "os.PathLike[str]"]


def _optional(text: Optional[Path]) -> Optional[bytes]:
    return None if text is None else _c.encode(text)


def report(input_path: Path, output_path: Path, page: Path, *, provenance: Optional[Path] = None,
           start: Optional[str] = None, duration: Optional[str] = None, deinterlace: Union[bool, str] = False,
           inverse_telecine: Union[bool, str] = False, frames: Sequence[int] = (), times: Sequence[str] = (),
           scene_cuts: Optional[int] = None, stage_times: Optional[Path] = None,
           crop: Optional[str] = None, rotated: bool = False, no_grain: bool = False,
           video: int = 0, audio: Optional[str] = None, subs: Optional[str] = None,
           sub: Optional[str] = None,
           progress_callback: Optional[ProgressCallback] = None) -> bool:
    """Compares an output with its input as `verify` does, and writes an HTML report to `path`.

    The settings of the run are taken from `provenance`, or from the arguments that `verify` has as well.
    The report shows the worst and the median frame, `scene_cuts` cuts (None: 3), and the requested ones:
    `frames` of the output, from 0, and `times` in it, such as '1:30'. `stage_times` is the timings file
    that the run wrote.

    Returns whether all checks passed. Raises FileNotFoundError, ValueError (a frame that does not exist,
    timings of another run), InputError, OutputError, MemoryError.
    """
    numbers = (ctypes.c_int64 * len(frames))(*frames)
    words = (ctypes.c_char_p * len(times))(*(_c.encode(t) for t in times))
    cuts = 0 if scene_cuts is None else scene_cuts if scene_cuts > 0 else -1
    options = _c.ReportOptionsWithRoom(
        verify=_c.VerifyOptions(provenance=_optional(provenance), start=_optional(start),
                                duration=_optional(duration), deinterlace=deinterlace_mode(deinterlace),
                                inverse_telecine=telecine_mode(inverse_telecine), rotated=rotated,
                                no_grain=no_grain, crop=_optional(crop), video=video,
                                audio=_optional(audio), subs=_optional(subs), sub=_optional(sub)),
        frames=ctypes.cast(numbers, ctypes.POINTER(ctypes.c_int64)), frame_count=len(numbers),
        times=ctypes.cast(words, ctypes.POINTER(ctypes.c_char_p)), time_count=len(words),
        scene_cuts=cuts, stage_times=_optional(stage_times))
    context, passed = Context(), ctypes.c_bool()
    try:
        status = context.call(_c.library().ksr_report, context.handle, _c.encode(input_path),
                              _c.encode(output_path), ctypes.byref(options), _c.encode(page),
                              ctypes.byref(passed), progress=progress_callback)
        context.raise_for(status)
    finally:
        context.close()
    return passed.value


@dataclass(frozen=True)
class PreviewResult:
    """Estimate for the whole job, from the speed and size of the samples."""

    samples: int
    """Number of samples."""
    frames: int
    """Frames of the samples."""
    film_frames: int
    """Frames of the whole video."""
    frames_per_second: float
    """Over all samples."""
    seconds: float
    """For the whole job on this machine."""
    slowest_seconds: float
    """If all of it were like the slowest sample."""
    fastest_seconds: float
    """If all of it were like the fastest sample."""
    bytes: float
    """Of the whole output, including other streams."""
    smallest_bytes: float
    """If all of it were like the smallest sample."""
    largest_bytes: float
    """If all of it were like the largest sample."""
    passed: bool
    """Whether all checks of all samples passed."""


def preview(config: OfflineProcessorConfig, folder: Path, *, samples: int = 0, seconds: float = 0,
            options: Optional[RunOptions] = None,
            progress_callback: Optional[ProgressCallback] = None) -> PreviewResult:
    """Upscales samples of a video with the settings of a job, and writes a report of each.

    Writes sample-1.mkv (or the encoder's format, if set), its record sample-1.json, report-1.html and so
    on to `folder`, which is created if missing; existing files of these names are replaced. The job's
    output is not touched.

    Args:
        samples: ranges spread over the video, 1..16; 0 is 3, or 1 if the job has a start.
        seconds: duration of each; 0 is 4.
        options: threads, workers, device; the rest is ignored.

    Raises what `OfflineVideoProcessor.process()` and `report()` raise.
    """
    run = (options if options is not None else RunOptions())._c_struct()
    asked = _c.PreviewOptionsWithRoom(samples=samples, seconds=seconds, folder=_c.encode(folder),
                                      run=_c.RunOptions(**{name: getattr(run, name)
                                                           for name, _ in _c.RunOptions._fields_}))
    context, result = Context(), _c.PreviewResultWithRoom()
    try:
        native = NativeConfig(context, config)
        try:
            status = context.call(_c.library().ksr_preview, context.handle, native.pointer,
                                  ctypes.byref(asked), ctypes.byref(result),
                                  progress=progress_callback)
        finally:
            native.close()
        context.raise_for(status)
    finally:
        context.close()
    return PreviewResult(**{name: getattr(result, name) for name, _ in _c.PreviewResult._fields_})
