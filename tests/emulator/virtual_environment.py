"""Makes and reuses `tests/.venv`, the virtual environment that moto runs in.

Standard library only: this runs before anything is installed.
"""

import contextlib
import fcntl
import hashlib
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

TESTS = Path(__file__).resolve().parent.parent
FOLDER = TESTS / ".venv"
REQUIREMENTS = TESTS / "requirements.txt"
PYTHON = FOLDER / "bin" / "python"

# Written last, so that a build that was cut short is never taken for a whole one.
STAMP = FOLDER / "requirements.sha256"


class HarnessError(Exception):
    """What keeps the harness itself from working, told to a person."""


def prepare() -> Path:
    """Returns the environment's Python, after building the environment if it is
    missing or older than `requirements.txt`.

    Safe when several run at once: one builds, the others wait for it.
    """
    if not is_current():
        with _alone():
            # Another run may have built it while this one waited.
            if not is_current():
                _build()
    return PYTHON


def is_current() -> bool:
    """Tells whether the environment was built from today's `requirements.txt`."""
    try:
        return PYTHON.exists() and STAMP.read_text() == _fingerprint()
    except OSError:
        return False


def without_aws(environment: dict[str, str]) -> dict[str, str]:
    """Returns the environment without whatever could lead to a real account."""
    return {
        name: value
        for name, value in environment.items()
        if not name.startswith("AWS_") and name not in ("BOTO_CONFIG",)
    }


def _fingerprint() -> str:
    # A virtual environment does not outlive a change of its Python.
    content = REQUIREMENTS.read_bytes() + platform.python_version().encode()
    return hashlib.sha256(content).hexdigest()


@contextlib.contextmanager
def _alone() -> Iterator[None]:
    # The requirements file itself is locked: it is always there, while a lock
    # file inside the environment would be deleted by the build it guards.
    with REQUIREMENTS.open() as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _build() -> None:
    if sys.version_info < (3, 11):
        raise HarnessError(
            f"Python 3.11 or later is needed; {sys.executable} is {platform.python_version()}."
        )
    if Path(sys.prefix).resolve() == FOLDER.resolve():
        raise HarnessError(
            "tests/.venv is older than tests/requirements.txt, and cannot be rebuilt"
            " by its own Python. Run: tests/on-moto --prepare"
        )
    print("on-moto: preparing tests/.venv (about a minute, once) ...", file=sys.stderr, flush=True)
    shutil.rmtree(FOLDER, ignore_errors=True)
    _run(
        [sys.executable, "-m", "venv", str(FOLDER)],
        "making a virtual environment in tests/.venv failed"
        " (Debian and Ubuntu keep this part of Python in the package python3-venv)",
    )
    # Nothing that is not pinned may slip in, hence --no-deps and the check after it.
    pip = [str(PYTHON), "-m", "pip", "--disable-pip-version-check", "--no-input"]
    _run(
        [*pip, "install", "--quiet", "--no-deps", "--requirement", str(REQUIREMENTS)],
        "installing tests/requirements.txt into tests/.venv failed (is the package index reachable?)",
    )
    _run([*pip, "check"], "tests/requirements.txt does not pin everything that is needed")
    STAMP.write_text(_fingerprint())


def _run(command: list[str], failure: str) -> None:
    environment = dict(os.environ)
    # Either one would put foreign packages into the new environment's view.
    environment.pop("PYTHONPATH", None)
    environment.pop("PYTHONHOME", None)
    try:
        done = subprocess.run(
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
    except OSError as error:
        raise HarnessError(f"{failure}: {error}") from error
    if done.returncode != 0:
        last_lines = "\n".join(done.stdout.strip().splitlines()[-15:])
        raise HarnessError(f"{failure}:\n{last_lines}")
