"""That every operation of the sandbox is walked, and every code with which it refuses."""

import ast
import functools
import re
from collections.abc import Iterator
from pathlib import Path

from botocore import xform_name

from .differences import ANSWERS, REFUSALS

_WALKS = Path(__file__).parent
_SOURCES = _WALKS.parent.parent.parent / "crates/sandbox/src"
_SERVICES = ["ec2", "eks", "elb", "iam", "organizations", "quotas", "ram", "sts", "tagged"]

# What boto3 alone cannot do, and where it is done instead.
_WALKED_ELSEWHERE = {
    "AssumeRoleForPodIdentity": "needs a pod's token: the controller of test_sister_specs.py; here only refused",
    "AssumeRoleWithWebIdentity": "needs a token of an issuer: sts/web_identity/tests.rs; here only refused",
    "DecodeAuthorizationMessage": "needs a denial under --enforce-iam: access/tests/identities.rs; here only refused",
}
_REFUSED_ELSEWHERE = {
    "SecurityGroupLimitExceeded": "2,500 groups: security_group/tests.rs",
    "InsufficientFreeAddressesInSubnet": "a full subnet: nat_gateway/tests.rs",
    "ExpiredTokenException": "a token of an issuer that is too old: sts/web_identity/tests.rs",
    "ResourceLimitExceededException": "30 node groups: eks/node_group/tests.rs",
}


def _production() -> Iterator[tuple[str, str]]:
    """Returns the services with their source files, without the tests in these."""
    for path in sorted(_SOURCES.rglob("*.rs")):
        service = path.relative_to(_SOURCES).parts[0]
        if service in _SERVICES and "tests" not in path.with_suffix("").parts:
            yield service, path.read_text().split("#[cfg(test)]\nmod tests {")[0]


def _operations() -> set[str]:
    return {name for _, text in _production() for name in re.findall(r'Operation::new\(\s*"(\w+)"', text)}


def _codes() -> set[str]:
    """Returns the codes in refusals, and in the constants that name them."""
    patterns = [
        r'Refusal::(?:new|forbidden)\(\s*"([A-Z][\w.]+)"',
        r'\b(?:conflict|check_parent)\([^"]*"([A-Z][\w.]+)"',
        r'NOT_FOUND: &(?:\'static )?str = "([A-Z][\w.]+)"',
        r'wrong_(?:size|token): "([A-Z][\w.]+)"',
        # The targets of routes are a table.
        r'"(Invalid\w+\.NotFound)"',
    ]
    return {code for _, text in _production() for pattern in patterns for code in re.findall(pattern, text)}


@functools.cache
def _trees() -> list[ast.Module]:
    walks = [path for path in sorted(_WALKS.glob("*.py")) if path != Path(__file__)]
    return [ast.parse(path.read_text()) for path in walks]


def _walked() -> set[str]:
    """Returns the names of methods that the walks really call; to be refused is no walk."""
    names = set()
    for tree in _trees():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                names.add(node.func.attr)
                if node.func.attr == "pages":
                    names |= {argument.value for argument in node.args if isinstance(argument, ast.Constant)}
    return names


def _texts() -> set[str]:
    constants = (node for tree in _trees() for node in ast.walk(tree) if isinstance(node, ast.Constant))
    return {node.value for node in constants if isinstance(node.value, str)}


def test_every_operation_is_walked() -> None:
    operations, walked = _operations(), _walked()
    assert len(operations) > 180, "the sources do not look as they did"
    missing = {name for name in operations if xform_name(name) not in walked}
    assert missing == set(_WALKED_ELSEWHERE)


def test_every_refusal_is_walked() -> None:
    codes = _codes()
    assert len(codes) > 100, "the sources do not look as they did"
    assert codes - _texts() == set(_REFUSED_ELSEWHERE)


def test_every_difference_is_met() -> None:
    texts = set()
    for tree in _trees():
        for node in ast.walk(tree):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and node.func.attr == "is_like_aws"
            ):
                texts |= {argument.value for argument in node.args if isinstance(argument, ast.Constant)}
    assert texts == set(ANSWERS)
    names = {xform_name(operation) for operation, _ in REFUSALS}
    methods = {node.attr for tree in _trees() for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    assert names <= methods
