"""The fixture `walk`: an empty world in which time passes only when it is told to."""

from collections.abc import Iterator

import pytest

from ..world import World
from .walk import Walk


@pytest.fixture
def walk(world: World) -> Iterator[Walk]:
    """An empty world to walk through."""
    walk = Walk(world)
    walk.hold_time()
    yield walk
    walk.release_time()
