"""Upscaling a video."""

from __future__ import annotations

import ctypes
import threading
from dataclasses import dataclass
from typing import Optional

from . import _library as _c
from ._context import Context, ProgressCallback, logger
from .config import NativeConfig, OfflineProcessorConfig, RunOptions


@dataclass(frozen=True)
class ProcessingResult:
    """The result of a successful run."""

    frames: int
    """Frames in the output."""
    frames_repeated: int
    """Of those: repeats of the previous frame (on_frame_error='repeat')."""
    frames_skipped: int
    """Input frames without an output frame (on_frame_error='skip')."""
    segments: int
    """Segments of the video."""
    segments_reused: int
    """Of those: finished by an earlier run."""
    width: int
    """Of the output, in pixels."""
    height: int
    """Of the output, in pixels."""
    output_size: int
    """Of the output, in bytes."""
    warnings: int
    """Warnings logged during the run."""
    already_done: bool
    """The output existed, written by this very job; nothing was done."""
    engine: str
    """Engine of the model: 'native', 'ONNX Runtime 1.30.0 on cpu, 2 threads'; '' without AI."""
    accepted: bool = False
    """Verification failed, and `RunOptions.accept` put the output in place."""
    devices: str = ""
    """What the stages ran on, in earlier runs too: 'cpu', 'NVIDIA H200 (NVIDIA 580.65.06)', or several
    with the frames of each; '' = not known."""


class OfflineVideoProcessor:
    """Upscales one video: decodes, processes, encodes, copies every other stream, verifies.

    If a run is interrupted (Ctrl-C, a crash, a power cut), the same job resumes where it stopped.

    Args:
        config: the settings of the job.
        progress_callback: called with a `Progress` on the thread that called `process()`, at most once
            per frame. An exception from it ends the run and is raised by `process()`.
        options: how to run; does not change the output. None: defaults.

    Messages go to the logger ``kizunasr``. One `process()` at a time per object; objects are independent;
    `cancel()` may be called from any thread.
    """

    def __init__(self, config: OfflineProcessorConfig, *,
                 progress_callback: Optional[ProgressCallback] = None,
                 options: Optional[RunOptions] = None) -> None:
        if not isinstance(config, OfflineProcessorConfig):
            raise TypeError(f"expected OfflineProcessorConfig, got {type(config).__name__}")
        self.config = config
        self.progress_callback = progress_callback
        self.options = options if options is not None else RunOptions()
        self._lock = threading.Lock()  # protects _context
        self._context: Optional[Context] = None

    def process(self) -> ProcessingResult:
        """Runs the job and returns when the output is in place and has been checked.

        Raises:
            FileNotFoundError: the input does not exist.
            FileExistsError: the output exists, and options.overwrite is off.
            ValueError: a setting is invalid, or the encoder does not open.
            MemoryError: out of memory.
            KeyboardInterrupt: Ctrl-C; the work folder is kept, the same job resumes.
            InputError, OutputError, ModelError, ProcessingError, VerificationError, Cancelled:
                see `kizunasr.errors`.
        """
        context = Context()
        with self._lock:
            if self._context is not None:
                context.close()
                raise RuntimeError("process() is running already")
            self._context = context
        try:
            return self._run(context)
        except KeyboardInterrupt:
            logger.info("interrupted; run the same job again to resume it")
            raise
        finally:
            with self._lock:
                self._context = None
            context.close()

    def cancel(self) -> None:
        """Cancels `process()` from another thread: it raises `Cancelled` soon."""
        with self._lock:
            if self._context is not None:
                self._context.cancel()

    def _run(self, context: Context) -> ProcessingResult:
        config = NativeConfig(context, self.config)
        options, result = self.options._c_struct(), _c.ResultWithRoom()
        try:
            status = context.call(_c.library().ksr_upscale, context.handle, config.pointer,
                                  ctypes.byref(options), ctypes.byref(result),
                                  progress=self.progress_callback)
        finally:
            config.close()
        context.raise_for(status)
        values = {name: getattr(result, name) for name, _ in _c.Result._fields_}
        for name in ("engine", "devices"):
            values[name] = values[name].decode(errors="replace")
        return ProcessingResult(**values)
