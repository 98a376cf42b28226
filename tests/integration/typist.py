# SPDX-License-Identifier: GPL-2.0-or-later
"""Somebody who types at a terminal: a program on a pty, led through by what it shows."""
import os
import pty
import select
import time

from harness import PATIENCE


class Typist:
    """Runs argv with that environment. `seen`: all that was shown since something was typed last."""

    def __init__(self, argv, env, patience=PATIENCE):
        self.patience = patience
        self.pid, self.fd = pty.fork()
        if not self.pid:
            os.execve(argv[0], [str(word) for word in argv], env)
        self.seen = ""

    def _read(self):
        """More of what it shows; nothing at its end."""
        try:
            return os.read(self.fd, 4096).decode(errors="replace")
        except OSError:
            return ""

    def expect(self, text):
        end = time.monotonic() + self.patience
        while text not in self.seen:
            assert select.select([self.fd], [], [], max(0, end - time.monotonic()))[0], (text, self.seen)
            piece = self._read()
            assert piece, (text, self.seen)
            self.seen += piece
        return self.seen

    def type(self, line):
        self.seen = ""
        os.write(self.fd, line.encode() + b"\n")

    def end(self):
        """Waits for its end; its exit status."""
        while piece := self._read():
            self.seen += piece
        os.close(self.fd)
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
