"""Serves moto on a loopback port that the kernel chooses, and prints the port.

Run by the Python of `tests/.venv`, never imported: see `moto.Moto`.
"""

import sys

from moto.server import ThreadedMotoServer


def main() -> None:
    """Serves until standard input closes, which it does when the starter dies,
    however it dies: no server is ever left behind."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    print(server.get_host_and_port()[1], flush=True)
    sys.stdin.buffer.read()


if __name__ == "__main__":
    main()
