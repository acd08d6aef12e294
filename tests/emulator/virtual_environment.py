"""Makes and reuses the virtual environments of the trials: `tests/.venv`, in which they run and moto
does, and `tests/.venv-ministack`.

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
from dataclasses import dataclass
from pathlib import Path

TESTS = Path(__file__).resolve().parent.parent


class HarnessError(Exception):
    """What keeps the harness itself from working, told to a person."""


@dataclass(frozen=True)
class Environment:
    """A virtual environment with just what a requirements file pins."""

    folder: Path
    requirements: Path

    @property
    def python(self) -> Path:
        """Its Python."""
        return self.folder / "bin" / "python"

    @property
    def stamp(self) -> Path:
        """What it was built from. Written last, so that a build that was cut short is never taken for
        a whole one."""
        return self.folder / "requirements.sha256"

    def prepare(self) -> Path:
        """Returns the environment's Python, after building the environment if it is
        missing or older than its requirements.

        Safe when several run at once: one builds, the others wait for it.
        """
        if not self.is_current():
            with self._alone():
                # Another run may have built it while this one waited.
                if not self.is_current():
                    self._build()
        return self.python

    def is_current(self) -> bool:
        """Tells whether the environment was built from today's requirements."""
        try:
            return self.python.exists() and self.stamp.read_text() == self.fingerprint()
        except OSError:
            return False

    def fingerprint(self) -> str:
        """Returns what tells today's requirements from others."""
        # A virtual environment does not outlive a change of its Python.
        content = self.requirements.read_bytes() + platform.python_version().encode()
        return hashlib.sha256(content).hexdigest()

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        # The requirements file itself is locked: it is always there, while a lock
        # file inside the environment would be deleted by the build it guards.
        with self.requirements.open() as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def _build(self) -> None:
        folder, requirements = f"tests/{self.folder.name}", f"tests/{self.requirements.name}"
        if sys.version_info < (3, 11):
            raise HarnessError(
                f"Python 3.11 or later is needed; {sys.executable} is {platform.python_version()}."
            )
        if Path(sys.prefix).resolve() == self.folder.resolve():
            raise HarnessError(
                f"{folder} is older than {requirements}, and cannot be rebuilt"
                " by its own Python. Run: tests/on-moto --prepare"
            )
        print(f"on-moto: preparing {folder} (about a minute, once) ...", file=sys.stderr, flush=True)
        shutil.rmtree(self.folder, ignore_errors=True)
        _run(
            [sys.executable, "-m", "venv", str(self.folder)],
            f"making a virtual environment in {folder} failed"
            " (Debian and Ubuntu keep this part of Python in the package python3-venv)",
        )
        # Nothing that is not pinned may slip in, hence --no-deps and the check after it.
        pip = [str(self.python), "-m", "pip", "--disable-pip-version-check", "--no-input"]
        _run(
            [*pip, "install", "--quiet", "--no-deps", "--requirement", str(self.requirements)],
            f"installing {requirements} into {folder} failed (is the package index reachable?)",
        )
        _run([*pip, "check"], f"{requirements} does not pin everything that is needed")
        self.stamp.write_text(self.fingerprint())


TRIALS = Environment(TESTS / ".venv", TESTS / "requirements.txt")
MINISTACK = Environment(TESTS / ".venv-ministack", TESTS / "requirements-ministack.txt")


def without_aws(environment: dict[str, str]) -> dict[str, str]:
    """Returns the environment without whatever could lead to a real account."""
    return {
        name: value
        for name, value in environment.items()
        if not name.startswith("AWS_") and name not in ("BOTO_CONFIG",)
    }


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
