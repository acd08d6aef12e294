"""Which of the tests a run runs: a sample of those that are many of one sort, and one of several parts."""

from collections.abc import Callable, Hashable, Iterable
from typing import TypeVar

Test = TypeVar("Test")


def sample(tests: list[Test], interval: Callable[[Test], tuple[Hashable, int]], first: int) -> list[Test]:
    """Returns one in so many of each sort of test, and all that are of a sort with the interval 1.

    `interval` returns the sort of a test and how many there are to each that is run. Of each sort,
    `first` skips so many at its beginning: who takes another one runs other tests.
    """
    seen: dict[Hashable, int] = {}
    kept = []
    for test in tests:
        sort, length = interval(test)
        number = seen.get(sort, 0)
        seen[sort] = number + 1
        if number % length == first % length:
            kept.append(test)
    return kept


def dealt(tests: Iterable[Test], group: Callable[[Test], Hashable | None], count: int) -> list[list[Test]]:
    """Deals tests to so many parts of about the same size, in their order. Those of a group stay
    together; those without one are dealt one by one, so that each part has its share of every file."""
    parts: list[list[tuple[int, Test]]] = [[] for _ in range(count)]
    groups: dict[Hashable, list[tuple[int, Test]]] = {}
    single = []
    for place in enumerate(tests):
        name = group(place[1])
        if name is None:
            single.append(place)
        else:
            groups.setdefault(name, []).append(place)
    for together in sorted(groups.values(), key=len, reverse=True):
        min(parts, key=len).extend(together)
    for place in single:
        min(parts, key=len).append(place)
    return [[test for _, test in sorted(part, key=lambda place: place[0])] for part in parts]
