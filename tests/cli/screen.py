#!/usr/bin/env python3
"""Runs a command on a terminal of its own and prints what stands on the screen at the end.

    screen.py COLUMNS [--interrupt-at TEXT | --expect TEXT] COMMAND...

With --interrupt-at, SIGINT is sent when TEXT first stands on the screen. The exit status is the
command's. A line that would wrap is reported, and so is a run that never drew a bar, or, with
--expect, never one that ends with TEXT.
"""

import fcntl
import os
import pty
import signal
import struct
import sys
import termios


class Screen:
    """As much of a terminal as the program uses."""

    def __init__(self, columns):
        self.columns, self.lines, self.at = columns, [""], 0
        self.redraws, self.too_wide, self.ends = 0, "", set()

    def feed(self, text):
        text = text.replace("\x1b[K", "\x00")
        for c in text:
            line = self.lines[-1]
            if c == "\n":
                self.lines.append("")
                self.at = 0
            elif c == "\r":
                self.redraws += self.at > 0
                self.ends.add(line.split(" ")[-1])
                self.at = 0
            elif c == "\x00":
                self.lines[-1] = line[:self.at]
            else:
                self.lines[-1] = line[:self.at] + c + line[self.at + 1:]
                self.at += 1
            # Only what is redrawn has to fit: messages may wrap.
            if c == "\r" and len(line) >= self.columns:
                self.too_wide = self.too_wide or line


def run(columns, interrupt_at, command):
    child, fd = pty.fork()
    if child == 0:
        os.environ["TERM"] = "xterm"
        fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        os.execvp(command[0], command)
    screen, held = Screen(columns), ""
    while True:
        try:
            data = os.read(fd, 4096)
        except OSError:
            data = b""
        if not data:
            break
        held += data.decode("utf-8", "replace")
        # The terminal makes "\r\n" of a line break, maybe one half per read.
        text, held = (held[:-1], "\r") if held.endswith("\r") else (held, "")
        screen.feed(text.replace("\r\n", "\n"))
        if interrupt_at and interrupt_at in screen.lines[-1]:
            os.kill(child, signal.SIGINT)
            interrupt_at = ""
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    return screen, status


def main():
    columns, command, interrupt_at, expected = int(sys.argv[1]), sys.argv[2:], "", ""
    if command[0] == "--interrupt-at":
        interrupt_at, command = command[1], command[2:]
    if command[0] == "--expect":
        expected, command = command[1], command[2:]
    screen, status = run(columns, interrupt_at, command)
    print("\n".join(line for line in screen.lines if line))
    if screen.too_wide:
        print(f"TOO WIDE: {screen.too_wide}")
    if screen.redraws == 0:
        print("NO BAR")
    if expected and expected not in screen.ends:
        print(f"NEVER {expected}")
    sys.exit(status)


if __name__ == "__main__":
    main()
