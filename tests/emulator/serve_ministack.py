"""Serves ministack on a loopback port that the kernel chooses, and prints the port.

Run by the Python of `tests/.venv-ministack`, never imported: see `ministack.Ministack`.
"""

import http.client
import os
import socket
import sys
import threading
import time


def main() -> None:
    """Serves until standard input closes, which it does when the starter dies, however it dies."""
    port = free_port()
    os.environ |= {
        # It would serve the whole network otherwise.
        "BIND_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(port),
        "LOG_LEVEL": "WARNING",
    }
    answers = os.fdopen(os.dup(1), "w")
    # Whatever it prints itself is its log.
    os.dup2(2, 1)
    threading.Thread(target=tell, args=(port, answers), daemon=True).start()
    threading.Thread(target=end_with_starter, daemon=True).start()
    from ministack import app

    sys.argv[1:] = []
    app.main()


def free_port() -> int:
    """Returns a port that nobody has: ministack does not take 0 for one."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def tell(port: int, answers: object) -> None:
    """Prints the port once it answers."""
    while not is_ready(port):
        time.sleep(0.05)
    print(port, file=answers, flush=True)  # type: ignore[arg-type]


def is_ready(port: int) -> bool:
    """Tells whether it answers."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/_ministack/health")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


def end_with_starter() -> None:
    """Ends the process once nobody is there any more who started it."""
    sys.stdin.buffer.read()
    os._exit(0)


if __name__ == "__main__":
    main()
