"""Calls into the library: on a thread of their own, while the caller's thread stays responsive.

The library calls back from threads of its own. What it says is put into a queue and handed out on
the thread that made the call, so callbacks and log handlers run where the caller expects them, their
exceptions reach the caller, and Ctrl-C works: the waiting thread gets KeyboardInterrupt, cancels the
run, waits for it to end, and lets the exception go on.
"""

from __future__ import annotations

import ctypes
import logging
import queue
import threading
from dataclasses import dataclass
from typing import Any, Callable, Optional

from . import _library as _c
from .errors import exception

logger = logging.getLogger("kizunasr")

_LEVELS = {
    _c.LOG_ERROR: logging.ERROR,
    _c.LOG_WARNING: logging.WARNING,
    _c.LOG_INFO: logging.INFO,
    _c.LOG_DEBUG: logging.DEBUG,
}


@dataclass(frozen=True)
class Progress:
    """Progress of a run."""

    phase: str
    """'plan' (units are bytes of the input), 'work', 'join' or 'verify' (units are frames)."""
    done: int
    """Finished units of this phase, including reused ones."""
    total: Optional[int]
    """Units of this phase; None while unknown."""
    reused: int
    """Of `done`: units finished by an earlier run."""
    output_size: int
    """Bytes of encoded video or of the output written so far."""
    devices: str
    """What runs the stages now, in 'work': 'vulkan:0', 'cpu' or '2 devices'; else ''."""


ProgressCallback = Callable[[Progress], Any]


class Context:
    """A context of the library. One call at a time; cancel() from any thread."""

    def __init__(self) -> None:
        self._lib = _c.library()
        self._events: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._error = ""
        # The library keeps these; so must we.
        self._callbacks = _c.Callbacks(log=_c.LOG_CALLBACK(self._on_log),
                                       progress=_c.PROGRESS_CALLBACK(self._on_progress))
        self.handle = ctypes.c_void_p()
        status = self._lib.ksr_context_create(ctypes.byref(self.handle),
                                              ctypes.byref(self._callbacks))
        if status != _c.OK:
            raise exception(status, "")
        self._lib.ksr_context_name_options(self.handle, _c.OPTIONS_AS_KEYWORDS)

    def close(self) -> None:
        self._lib.ksr_context_destroy(ctypes.byref(self.handle))

    def cancel(self) -> None:
        """Cancels the call in progress, and every later one."""
        self._lib.ksr_context_cancel(self.handle)

    # Called by the library, from any thread; must not raise.

    def _on_log(self, _opaque: Any, level: int, message: bytes) -> None:
        self._events.put((level, message.decode("utf-8", "replace")))

    def _on_progress(self, _opaque: Any, report: Any) -> None:
        p = report.contents
        phase = _c.PHASES[p.phase] if 0 <= p.phase < len(_c.PHASES) else "run"
        self._events.put(Progress(phase, p.done, p.total or None, p.reused, p.output_size,
                                  p.devices.decode()))

    # On the caller's thread.

    def _handle_event(self, event: Any, progress: Optional[ProgressCallback]) -> None:
        if isinstance(event, Progress):
            if progress:
                progress(event)
            return
        level, message = event
        if level == _c.LOG_ERROR:
            self._error = message  # becomes the exception's text
        else:
            logger.log(_LEVELS.get(level, logging.DEBUG), "%s", message)

    def raise_for(self, status: int) -> None:
        """Raises the exception of a status, with the message that was logged."""
        if status == _c.OK:
            return
        error, self._error = self._error, ""
        if status == _c.E_PROCESS and error:
            logger.error("%s", error)
        raise exception(status, error)

    def call_here(self, function: Callable[..., int], *arguments: Any) -> int:
        """Calls a fast function on this thread. Returns its status."""
        status = function(*arguments)
        while not self._events.empty():
            self._handle_event(self._events.get(), None)
        return status

    def call(self, function: Callable[..., int], *arguments: Any,
             progress: Optional[ProgressCallback] = None) -> int:
        """Calls a function that may take long. Returns its status."""
        outcome: list[int] = []

        def work() -> None:
            try:
                outcome.append(function(*arguments))
            finally:
                self._events.put(None)  # the last event

        thread = threading.Thread(target=work, name="kizunasr", daemon=True)
        try:
            thread.start()
            while (event := self._events.get()) is not None:
                self._handle_event(event, progress)
        except BaseException:
            self.cancel()
            if thread.ident is not None:
                self._wait()
            raise
        thread.join()
        return outcome[0]

    def _wait(self) -> None:
        """Waits for the end of a cancelled call; the memory it uses must outlive it."""
        while True:
            try:
                while self._events.get() is not None:
                    pass
                return
            except KeyboardInterrupt:
                pass  # it is ending already
