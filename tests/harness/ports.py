"""Free ports on loopback, below the range from which the system takes ports for outgoing calls."""

import os
import re
import socket

_next = {}


def free_port():
    worker = re.sub(r"\D", "", os.environ.get("PYTEST_XDIST_WORKER", "")) or "0"
    first = 18000 + int(worker) * 1500
    for step in range(1500):
        port = first + (_next.setdefault(first, os.getpid() % 1400) + step) % 1500
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        _next[first] = port - first + 1
        return port
    raise RuntimeError("no free port on loopback")
