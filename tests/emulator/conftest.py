"""Fixtures: one server for the session, and for each test an empty world, a proxy in
front of it and the binary with folders of its own. Where making the whole network for each
test would take too long, `standing` is one that the tests of a file share."""

import os
from collections.abc import Hashable, Iterator
from pathlib import Path
from typing import Generic, TypeVar

import pytest

from .ministack import Ministack
from .mission import Mission
from .moto import Moto
from .network import Network
from .proxy import Proxy
from .sandbox import Sandbox
from .selection import dealt, sample
from .server import Server
from .straddle import Straddle, binary
from .virtual_environment import TRIALS, without_aws
from .world import World


def pytest_configure(config: pytest.Config) -> None:
    """Keeps boto3 in this process away from the user's own accounts, too."""
    config.addinivalue_line("markers", "only_on(server, why): a test that says nothing on other servers")
    config.addinivalue_line("markers", "on_every_server: a test of what ministack has as well")
    config.addinivalue_line("markers", "one_in(count): of its variants one in so many is run, unless with --all")
    kept = without_aws(dict(os.environ))
    os.environ.clear()
    os.environ.update(kept)
    os.environ["AWS_CONFIG_FILE"] = os.environ["AWS_SHARED_CREDENTIALS_FILE"] = os.devnull
    os.environ["AWS_EC2_METADATA_DISABLED"] = "true"
    os.environ["NO_PROXY"] = os.environ["no_proxy"] = "127.0.0.1,localhost"
    if not TRIALS.is_current():
        raise pytest.UsageError("tests/.venv is not up to date; run: tests/on-moto --prepare")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Adds `--server`, `--all`, and `--part`, with which several processes share the work, each with
    a server of its own."""
    parser.addoption(
        "--server",
        choices=["moto", "sandbox", "ministack"],
        default="moto",
        help="what stands in for AWS [default: moto]",
    )
    parser.addoption("--all", action="store_true", help="run also what is marked `one_in` so many")
    parser.addoption("--part", metavar="K/N", help="run only the Kth of N parts of the tests")


# Fixtures that several tests of a file share.
_SHARED = {"standing", "whole"}


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Keeps a sample of the tests that are marked so, other ones on each server, and those of one part."""
    kept = list(items)
    if not config.getoption("all"):
        kept = sample(kept, _interval, first=int(config.getoption("server") == "sandbox"))
    if config.getoption("part"):
        chosen, count = map(int, config.getoption("part").split("/"))
        sharing = {item.path for item in kept if _SHARED & set(getattr(item, "fixturenames", ()))}
        kept = dealt(kept, lambda item: item.path if item.path in sharing else None, count)[chosen - 1]
    staying = set(kept)
    config.hook.pytest_deselected(items=[item for item in items if item not in staying])
    items[:] = kept


def _interval(item: pytest.Item) -> tuple[Hashable, int]:
    marker = item.get_closest_marker("one_in")
    sort = (item.path, getattr(item, "originalname", item.name))
    return (sort, marker.args[0]) if marker else (sort, 1)


@pytest.fixture(scope="session")
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    """What stands in for AWS in this session. Use `world`, which empties it."""
    kinds: dict[str, type[Server]] = {"moto": Moto, "sandbox": Sandbox, "ministack": Ministack}
    with kinds[request.config.getoption("--server")]() as server:
        yield server


@pytest.fixture(autouse=True)
def of_one_server(request: pytest.FixtureRequest) -> None:
    """Skips a test that is marked as one of another server. Ministack has little of what most are
    about: only those run there that say so."""
    server = request.config.getoption("--server")
    marker = request.node.get_closest_marker("only_on")
    if marker and server != marker.args[0]:
        pytest.skip(f"only on {marker.args[0]}: {marker.args[1]}")
    if server == "ministack" and not request.node.get_closest_marker("on_every_server"):
        pytest.skip("not on ministack")


@pytest.fixture
def world(server: Server) -> World:
    """An empty world, with clients: `world.client("network")`."""
    return World(server)


@pytest.fixture
def sandbox(server: Server, world: World) -> Sandbox:
    """The server of `world`, with its control endpoint. For tests that are `only_on` it."""
    assert isinstance(server, Sandbox)
    return server


@pytest.fixture
def proxy(world: World, request: pytest.FixtureRequest) -> Iterator[Proxy]:
    """A proxy without rules in front of the world. Its log is shown if the test fails."""
    with Proxy(world.server) as proxy:
        request.node.stash[_PROXY] = proxy
        yield proxy


@pytest.fixture(scope="session")
def built() -> None:
    """Skips the test if there is no binary."""
    if not binary().exists():
        pytest.skip(f"{binary()} does not exist; run cargo build or set STRADDLE_BIN")


@pytest.fixture
def straddle(built: None, tmp_path: Path, world: World, proxy: Proxy) -> Straddle:
    """The binary under test, which talks to the proxy."""
    return Straddle(tmp_path, world, proxy.endpoint)


@pytest.fixture
def network(straddle: Straddle, world: World, proxy: Proxy) -> Network:
    """The main spec in an empty world; nothing is applied."""
    return Network(straddle, world, proxy)


@pytest.fixture
def mission(straddle: Straddle, world: World, proxy: Proxy) -> Mission:
    """The whole main spec in an empty world; nothing is applied."""
    return Mission(straddle, world, proxy)


Whole = TypeVar("Whole", bound=Network)


class _Stage(Generic[Whole]):
    """Builds a network and keeps it until a test has failed on it."""

    def __init__(self, kind: type[Whole], server: Server, factory: pytest.TempPathFactory) -> None:
        self._kind = kind
        self._server = server
        self._factory = factory
        self._proxy: Proxy | None = None
        self._network: Whole | None = None

    def network(self) -> Whole:
        """Returns the network, applied."""
        if self._network is None:
            world = World(self._server)
            self._proxy = Proxy(self._server)
            self._proxy.__enter__()
            straddle = Straddle(self._factory.mktemp("standing"), world, self._proxy.endpoint)
            self._network = self._kind(straddle, world, self._proxy)
            self._network.apply()
        return self._network

    def lend(self, request: pytest.FixtureRequest) -> Iterator[Whole]:
        """Lends it to one test. A test leaves it converged, though not necessarily as it was; after one
        that failed there is a new one."""
        network = self.network()
        request.node.stash[_PROXY] = network.proxy
        yield network
        network.proxy.clear()
        if request.node.stash.get(_FAILED, False):
            self.tear_down()

    def tear_down(self) -> None:
        """Ends it; the next one who asks gets a new one."""
        if self._proxy is not None:
            self._proxy.__exit__()
        self._proxy = self._network = None


@pytest.fixture(scope="module")
def stage(built: None, server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[_Stage[Network]]:
    """What `standing` stands on."""
    stage = _Stage(Network, server, tmp_path_factory)
    yield stage
    stage.tear_down()


@pytest.fixture
def standing(stage: _Stage[Network], request: pytest.FixtureRequest) -> Iterator[Network]:
    """The main spec's network, applied once for all tests of the file that use this.

    Not for a file with tests that use `world`, which empties what this stands in.
    """
    yield from stage.lend(request)


@pytest.fixture(scope="module")
def whole_stage(
    built: None, server: Server, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[_Stage[Mission]]:
    """What `whole` stands on."""
    stage = _Stage(Mission, server, tmp_path_factory)
    yield stage
    stage.tear_down()


@pytest.fixture
def whole(whole_stage: _Stage[Mission], request: pytest.FixtureRequest) -> Iterator[Mission]:
    """The whole main spec, applied once for a file, as `standing`."""
    yield from whole_stage.lend(request)


_PROXY = pytest.StashKey[Proxy]()
_FAILED = pytest.StashKey[bool]()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """Adds the requests that the proxy saw to the report of a test that failed."""
    outcome = yield
    report = outcome.get_result()
    if report.failed:
        item.stash[_FAILED] = True
    if report.failed and _PROXY in item.stash:
        report.sections.append(("Requests", str(item.stash[_PROXY].log)))
