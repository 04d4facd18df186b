"""The connection between the interpreter and the agent: messages of JSON, each after its length (4 bytes, big-endian)."""

import fcntl
import json
import os
import select
import socket
import struct

# Out of the way of programs that close descriptors by number.
PRIVATE_FD = 200


def private_copy(fd):
    """A copy of a descriptor that no other program inherits."""
    return fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, PRIVATE_FD)


class Control:
    """The interpreter's end of it."""

    def __init__(self, fd):
        self._socket = socket.socket(fileno=private_copy(fd))
        os.close(fd)
        self._socket.setblocking(True)
        self._process = os.getpid()

    def send(self, message):
        """Sends a message; a child that a program forked has nothing to say here."""
        if os.getpid() == self._process:
            body = json.dumps(message).encode()
            self._socket.sendall(struct.pack(">I", len(body)) + body)

    def receive(self):
        """The next message, or None when the agent has gone."""
        head = self._exactly(4)
        body = head and self._exactly(struct.unpack(">I", head)[0])
        return body and json.loads(body)

    def waiting(self, timeout_s):
        """Whether a message comes within that time."""
        return bool(select.select([self._socket], [], [], timeout_s)[0])

    def _exactly(self, size):
        parts = []
        while size:
            part = self._socket.recv(min(size, 1 << 20))
            if not part:
                return None
            parts.append(part)
            size -= len(part)
        return b"".join(parts)
