"""The main job: a film in, its upscale out."""

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
    """What a finished run did."""

    frames: int
    """Frames in the output."""
    frames_repeated: int
    """Of those: repeats of the frame before (on_frame_error='repeat')."""
    frames_skipped: int
    """Input frames without an output frame (on_frame_error='skip')."""
    segments: int
    """Segments that the film was cut into."""
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
    """The output was there already, written by this very job; nothing was done."""
    engine: str
    """What ran the model: 'native', 'ONNX Runtime 1.30.0 on cpu, 2 threads'; '' without AI."""
    accepted: bool = False
    """Verification failed, and `RunOptions.accept` put the output in place."""


class OfflineVideoProcessor:
    """Upscales one film: decodes, processes, encodes, carries every other stream along, verifies.

    If a run is interrupted (Ctrl-C, a crash, a power cut), the same job goes on where it stopped.

    Args:
        config: what to do.
        progress_callback: called with a `Progress` on the thread that called `process()`, up to once
            a frame. What it raises ends the run and comes out of `process()`.
        options: how to run; does not change the output.

    Messages go to the logger ``kizunasr``.
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
        """Does the job and returns when the output stands and has been checked.

        Raises:
            FileNotFoundError: the input is not there.
            FileExistsError: the output is, and options.overwrite is off.
            ValueError: a setting is wrong, or the encoder does not open.
            MemoryError: out of memory.
            KeyboardInterrupt: Ctrl-C; the work folder stays, the same job resumes.
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
            logger.info("interrupted; the same job again goes on where it stopped")
            raise
        finally:
            with self._lock:
                self._context = None
            context.close()

    def cancel(self) -> None:
        """Stops a `process()` that runs on another thread: it raises `Cancelled` soon."""
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
        values["engine"] = values["engine"].decode()
        return ProcessingResult(**values)
