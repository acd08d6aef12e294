"""Fixtures: one moto for the session, and for each test an empty world, a proxy in
front of it and the binary with folders of its own."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from .moto import Moto, World
from .proxy import Proxy
from .straddle import Straddle, binary
from .virtual_environment import is_current, without_aws


def pytest_configure() -> None:
    """Keeps boto3 in this process away from the user's own accounts, too."""
    kept = without_aws(dict(os.environ))
    os.environ.clear()
    os.environ.update(kept)
    os.environ["AWS_CONFIG_FILE"] = os.environ["AWS_SHARED_CREDENTIALS_FILE"] = os.devnull
    os.environ["AWS_EC2_METADATA_DISABLED"] = "true"
    os.environ["NO_PROXY"] = os.environ["no_proxy"] = "127.0.0.1,localhost"
    if not is_current():
        raise pytest.UsageError("tests/.venv is not up to date; run: tests/on-moto --prepare")


@pytest.fixture(scope="session")
def moto() -> Iterator[Moto]:
    """The moto server of the session. Use `world`, which empties it."""
    with Moto() as server:
        yield server


@pytest.fixture
def world(moto: Moto) -> World:
    """An empty world, with clients: `world.client("network")`."""
    return World(moto)


@pytest.fixture
def proxy(world: World, request: pytest.FixtureRequest) -> Iterator[Proxy]:
    """A proxy without rules in front of the world. Its log is shown if the test fails."""
    with Proxy(world.moto.address) as server:
        request.node.stash[_PROXY] = server
        yield server


@pytest.fixture
def straddle(tmp_path: Path, world: World, proxy: Proxy) -> Straddle:
    """The binary under test, which talks to the proxy."""
    if not binary().exists():
        pytest.skip(f"{binary()} does not exist; run cargo build or set STRADDLE_BIN")
    return Straddle(tmp_path, world, proxy.endpoint)


_PROXY = pytest.StashKey[Proxy]()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """Adds the requests that the proxy saw to the report of a test that failed."""
    outcome = yield
    report = outcome.get_result()
    if report.failed and _PROXY in item.stash:
        report.sections.append(("Requests", str(item.stash[_PROXY].log)))
