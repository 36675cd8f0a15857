"""Exceptions.

=====================  =============================================  ==========================
exception              also a                                         raised when
=====================  =============================================  ==========================
`FileNotFoundError`    `OSError`                                      the input does not exist
`FileExistsError`      `OSError`                                      the output already exists
`ValueError`           -                                              a setting is invalid, or an
                                                                      encoder does not open
`MemoryError`          -                                              out of memory
`InputError`           `ValueError`                                   the input cannot be read
`OutputError`          `OSError`                                      the output cannot be written
`ModelError`           `ValueError`                                   the AI model is missing or
                                                                      cannot be used
`ProcessingError`      `RuntimeError`                                 decoding or encoding failed
`VerificationError`    `RuntimeError`                                 the output does not match
                                                                      its input
`Cancelled`            `RuntimeError`                                 `cancel()` was called
=====================  =============================================  ==========================

Ctrl-C raises `KeyboardInterrupt`, as always.
"""

from __future__ import annotations

import re

from . import _library as _c


class InputError(ValueError):
    """The input is unreadable, is not a media file, or has no video."""


class OutputError(OSError):
    """The output or the work folder cannot be written, or another run has locked it."""


class ModelError(ValueError):
    """The AI model is missing or cannot be used."""


class ProcessingError(RuntimeError):
    """Decoding, filtering or encoding failed; the message names the frame, if there is one."""


class VerificationError(RuntimeError):
    """The output was written but does not match its input."""


class Cancelled(RuntimeError):
    """The run was cancelled; running the same job again resumes it."""


_KINDS = {
    _c.E_PARAM: ValueError,
    _c.E_MISMATCH: ValueError,
    _c.E_NOMEM: MemoryError,
    _c.E_INPUT: InputError,
    _c.E_OUTPUT: OutputError,
    _c.E_BUSY: OutputError,
    _c.E_MODEL: ModelError,
    _c.E_VERIFY: VerificationError,
    _c.E_CANCELLED: Cancelled,
    _c.E_PROCESS: ProcessingError,
    _c.E_EXISTS: FileExistsError,
    _c.E_NOT_FOUND: FileNotFoundError,
}


def exception(status: int, message: str) -> Exception:
    """Returns the exception for a status of the library and the message it logged."""
    if status == _c.E_CANCELLED:
        message = message or "cancelled; run the same job again to resume it"
    message = message or _c.library().ksr_status_name(status).decode()
    if re.match("[a-z]+ ", message):  # a sentence, which does not begin with the name of a setting or file
        message = message[0].upper() + message[1:]
    return _KINDS.get(status, RuntimeError)(message)
