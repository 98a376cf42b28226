# SPDX-License-Identifier: GPL-2.0-or-later
"""QEMU's control socket (QMP), as far as a test needs it: commands in order, events kept."""

import json
import socket
import time


class QmpError(Exception):
    """QEMU refused a command."""


class Qmp:
    def __init__(self, path, timeout=20):
        deadline = time.monotonic() + timeout
        self.sock = socket.socket(socket.AF_UNIX)
        while True:
            try:
                self.sock.connect(path)
                break
            except (FileNotFoundError, ConnectionRefusedError):
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.02)
        self.buffer = b""
        self.events = []
        self._message(deadline)  # greeting
        self("qmp_capabilities")

    def close(self):
        self.sock.close()

    def _message(self, deadline):
        while b"\n" not in self.buffer:
            left = deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError("QMP: no answer")
            self.sock.settimeout(left)
            data = self.sock.recv(65536)
            if not data:
                raise EOFError("QMP: QEMU has gone")
            self.buffer += data
        line, self.buffer = self.buffer.split(b"\n", 1)
        return json.loads(line)

    def __call__(self, command, arguments=None, timeout=20):
        deadline = time.monotonic() + timeout
        message = {"execute": command}
        if arguments:
            message["arguments"] = arguments
        self.sock.sendall(json.dumps(message).encode() + b"\n")
        while True:
            answer = self._message(deadline)
            if "event" in answer:
                self.events.append(answer)
            elif "error" in answer:
                raise QmpError(f"{command}: {answer['error']['desc']}")
            else:
                return answer.get("return")

    def event(self, name, timeout=20, **data):
        """Waits for an event with these data (also one that is already there) and takes it."""
        deadline = time.monotonic() + timeout
        seen = 0
        while True:
            for event in self.events[seen:]:
                if event["event"] == name and data.items() <= event.get("data", {}).items():
                    self.events.remove(event)
                    return event
            seen = len(self.events)
            answer = self._message(deadline)
            if "event" in answer:
                self.events.append(answer)

    def forget(self, name):
        """Drops the events of this name that have come so far."""
        self.events = [e for e in self.events if e["event"] != name]
