"""Reading videos: exact frame counts, frames as arrays, descriptions, comparisons."""

from __future__ import annotations

import ctypes
import json
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Optional, Union

import numpy as np

from . import _library as _c
from ._context import Context, ProgressCallback
from ._library import library
from .config import Path, deinterlace_mode, telecine_mode


@dataclass(frozen=True, eq=False)
class Frame:
    """One frame of a video."""

    data: np.ndarray
    """RGB, shape (height, width, 3), full range (0..255 or 0..65535): uint8, or uint16 from a decoder with
    bits=16. Owned by the frame, writable."""
    pts: int
    """Timestamp, in units of the decoder's `time_base`."""
    duration: int
    """Duration in the same units: until the next frame; of the last one: from the file."""
    time: float
    """Timestamp in seconds."""
    frame_index: int
    """Frame number, from 0, in presentation order."""
    width: int
    """In pixels."""
    height: int
    """In pixels."""
    damaged: bool
    """Whether the decoder reported errors in it."""


class VideoDecoder:
    """The frames of a video, in presentation order.

    Opening reads the file once, so `total_frames` is exact. Iteration continues after the last frame
    read, as with a file; `seek()` goes to any frame::

        with VideoDecoder("input.mkv") as decoder:
            print(decoder.total_frames)
            for frame in decoder:
                print(frame.frame_index, frame.pts, frame.data.mean())

    Args:
        path: a video, or an image sequence such as 'in%05d.png'.
        bits: of a sample in `Frame.data`: 8 or 16.

    Raises:
        FileNotFoundError: the file does not exist.
        InputError: it cannot be read or has no video.
        ValueError: bits is neither 8 nor 16.
        MemoryError: out of memory.

    Thread-safety: one thread at a time; decoders are independent of each other.
    """

    def __init__(self, path: Path, *, bits: int = 8) -> None:
        self._lib = _c.library()
        self._handle = ctypes.c_void_p()
        self._context: Optional[Context] = Context()
        self.path = path
        try:
            params = _c.DecoderParams(bits=bits)
            self._context.raise_for(self._context.call(
                self._lib.ksr_decoder_open, ctypes.byref(self._handle), self._context.handle,
                _c.encode(path), ctypes.byref(params)))
        except BaseException:
            self.close()
            raise
        info = self._lib.ksr_decoder_info(self._handle).contents
        self.total_frames: int = info.total_frames
        """Exact number of frames."""
        self.width: int = info.width
        """Of every frame, in pixels."""
        self.height: int = info.height
        """Of every frame, in pixels."""
        self.pixel_format: str = info.pixel_format.decode()
        """FFmpeg's name of the video's pixel format."""
        self.time_base = Fraction(info.time_base_num, info.time_base_den)
        """Seconds per unit of `Frame.pts`."""
        self.frame_rate = (Fraction(info.frame_rate_num, info.frame_rate_den)
                           if info.frame_rate_num else None)
        """Average frames per second; None if unknown."""
        self.sample_aspect_ratio = (Fraction(info.sample_aspect_num, info.sample_aspect_den)
                                    if info.sample_aspect_num else None)
        """Sample aspect ratio; None if unknown."""

    @property
    def fps(self) -> float:
        """Average frames per second; 0 if unknown."""
        return float(self.frame_rate or 0)

    def __len__(self) -> int:
        return self.total_frames

    def __iter__(self) -> VideoDecoder:
        return self

    def __next__(self) -> Frame:
        frame = self.read()
        if frame is None:
            raise StopIteration
        return frame

    def read(self) -> Optional[Frame]:
        """Returns the next frame, or None after the last one.

        Raises ProcessingError, InputError, MemoryError, and ValueError on a closed decoder.
        """
        context = self._open_context()
        picture = ctypes.POINTER(_c.Picture)()
        context.raise_for(context.call_here(self._lib.ksr_decoder_next, self._handle,
                                            ctypes.byref(picture)))
        return self._frame(picture.contents) if picture else None

    def seek(self, frame_index: int) -> None:
        """Continues with frame `frame_index`, 0 .. total_frames (the end).

        Raises ValueError if it is out of range.
        """
        context = self._open_context()
        context.raise_for(context.call_here(self._lib.ksr_decoder_seek, self._handle,
                                            frame_index))

    def close(self) -> None:
        """Closes the file. May be called twice."""
        self._lib.ksr_decoder_destroy(ctypes.byref(self._handle))
        if self._context is not None:
            self._context.close()
        self._context = None

    def __enter__(self) -> VideoDecoder:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def __del__(self) -> None:
        if getattr(self, "_context", None) is not None:
            self.close()

    def _open_context(self) -> Context:
        if self._context is None:
            raise ValueError("the decoder is closed")
        return self._context

    def _frame(self, p: _c.Picture) -> Frame:
        dtype = np.dtype(np.uint16 if p.bits == 16 else np.uint8)
        size = (p.height - 1) * p.stride + p.width * 3 * dtype.itemsize
        view = np.ndarray((p.height, p.width, 3), dtype,
                          (ctypes.c_char * size).from_address(p.data),
                          strides=(p.stride, 3 * dtype.itemsize, dtype.itemsize))
        return Frame(data=view.copy(), pts=p.pts, duration=p.duration,
                     time=float(p.pts * self.time_base), frame_index=p.frame_index,
                     width=p.width, height=p.height, damaged=p.damaged)


def _json_call(function: Any, *arguments: bytes, accepted: tuple[int, ...] = (_c.OK,),
               progress: Optional[ProgressCallback] = None) -> dict[str, Any]:
    context, text = Context(), ctypes.c_void_p()
    try:
        status = context.call(function, context.handle, *arguments, ctypes.byref(text),
                              progress=progress)
        if status not in accepted or not text:
            context.raise_for(status)
        return json.loads(ctypes.string_at(text.value))
    finally:
        _c.library().ksr_free(text)
        context.close()


def probe(path: Path, *, picture: bool = False) -> dict[str, Any]:
    """Describes a video file: container, streams, exact frame count, timing, colour.

    With `picture`, looks at frames too: the size at which the video was drawn.

    The members are those of ``kizunasr probe --json`` (docs/manual.md). Raises FileNotFoundError,
    InputError, MemoryError.
    """
    if picture:
        return _json_call(library().ksr_probe_picture, _c.encode(path))
    return _json_call(_c.library().ksr_probe, _c.encode(path))


def source_kind(path: Path, *, video: int = 0) -> str:
    """Tells which kind of source a file is: 'dvd', 'web' or 'bluray', for `PipelineConfig.for_source()`.

    Decided by codec, size, and coding noise in frames all over the video; the reason is logged. video: as
    in `OfflineProcessorConfig`. Raises what `probe()` does, and ValueError (no such stream).
    """
    context, name = Context(), ctypes.c_char_p()
    try:
        context.raise_for(context.call(_c.library().ksr_source_find, context.handle, _c.encode(path),
                                       video, ctypes.byref(name)))
        return name.value.decode()
    finally:
        context.close()


def verify(input_path: Path, output_path: Path, *, provenance: Optional[Path] = None,
           start: Optional[str] = None, duration: Optional[str] = None,
           deinterlace: Union[bool, str] = False,
           inverse_telecine: Union[bool, str] = False, frames: bool = False, crop: Optional[str] = None,
           rotated: bool = False, no_grain: bool = False, video: int = 0,
           audio: Optional[str] = None, subs: Optional[str] = None, sub: Optional[str] = None,
           progress_callback: Optional[ProgressCallback] = None) -> dict[str, Any]:
    """Compares an output with its input: frames, timestamps, streams, audio, chapters, image quality.

    The settings of the run are taken from `provenance`, the record that it wrote, or from the other
    arguments. Returns the members of ``kizunasr verify --json``: 'passed', 'checks' with 'name',
    'passed' and 'detail' each, and 'picture'; with `frames`, the measures of every frame. A failed check
    is not an exception. Raises FileNotFoundError, ValueError, InputError, MemoryError.
    """
    options = _c.VerifyOptionsWithRoom(
        provenance=None if provenance is None else _c.encode(provenance),
        start=None if start is None else str(start).encode(),
        duration=None if duration is None else str(duration).encode(),
        deinterlace=deinterlace_mode(deinterlace), inverse_telecine=telecine_mode(inverse_telecine), frames=frames,
        rotated=rotated, no_grain=no_grain, crop=None if crop is None else str(crop).encode(),
        video=video, audio=None if audio is None else audio.encode(),
        subs=None if subs is None else subs.encode(), sub=None if sub is None else _c.encode(sub))
    return _json_call(_c.library().ksr_verify, _c.encode(input_path), _c.encode(output_path),
                      ctypes.byref(options), accepted=(_c.OK, _c.E_VERIFY), progress=progress_callback)
