"""Which tests a run runs: every variant is in some sample, and every test in exactly one part."""

from collections.abc import Hashable

from .selection import dealt, sample


def interval(test: str) -> tuple[Hashable, int]:
    """Of those that begin with `k`, every third; of others, all."""
    return test[0], 3 if test.startswith("k") else 1


def test_a_sample_has_one_in_so_many_and_others_have_the_rest() -> None:
    tests = ["a1", *(f"k{number}" for number in range(7)), "a2"]
    assert sample(tests, interval, first=0) == ["a1", "k0", "k3", "k6", "a2"]
    samples = [sample(tests, interval, first) for first in range(3)]
    assert {test for part in samples for test in part} == set(tests)
    assert not {"k1", "k4"} & set(samples[0]) and {"k1", "k4"} <= set(samples[1])


def test_parts_have_every_test_once_and_keep_groups_whole() -> None:
    tests = [f"g{number}" for number in range(5)] + [f"x{number}" for number in range(8)]
    parts = dealt(tests, lambda test: "g" if test.startswith("g") else None, 2)
    assert sorted(parts[0] + parts[1]) == sorted(tests)
    assert {len(part) for part in parts} == {6, 7}
    with_group = next(part for part in parts if "g0" in part)
    assert set(tests[:5]) <= set(with_group) and with_group == sorted(with_group)
