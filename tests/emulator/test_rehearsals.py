"""`straddle rehearse`: everything made and taken away in sandboxes of its own, each time with another trouble."""

import json
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from .shell import Shell
from .straddle import REPOSITORY, Done

pytestmark = [
    pytest.mark.only_on("sandbox", "it brings its own accounts"),
    pytest.mark.usefixtures("built"),
]


class Rehearsing(Shell):
    """A copy of a spec, to be rehearsed."""

    def __init__(self, folder: Path, name: str) -> None:
        super().__init__(folder, f"{name}.sandbox")
        shutil.copytree(REPOSITORY / "specs" / name, self.spec)

    def play(self, *words: str, code: int = 0) -> Done:
        """Rehearses the spec."""
        return self.run("rehearse", "spec", *words, code=code)

    def report(self, *words: str, code: int = 0) -> Any:
        """Rehearses the spec; returns the report as programs read it."""
        return self.play("--json", *words, code=code).json()


@pytest.fixture
def sharing(tmp_path: Path) -> Rehearsing:
    """The spec of a network of which another account uses a part."""
    return Rehearsing(tmp_path, "shared-network")


@pytest.fixture
def walkthrough(tmp_path: Path) -> Rehearsing:
    """The spec of the walkthrough."""
    return Rehearsing(tmp_path, "cross-account-alb")


def test_every_trouble_of_a_shared_network_is_survived(sharing: Rehearsing) -> None:
    report = sharing.report("--fault=lost", "--fault=denied")
    assert report["is_fine"] and report["problems"] == []
    assert len(report["troubles"]) == report["known_troubles"] > 100
    assert [trouble["trouble"] for trouble in report["troubles"] if not trouble["is_met"]] == []
    sorts = Counter(trouble["trouble"].split(":")[1] for trouble in report["troubles"])
    # Every write has two sides, and every call two faults.
    assert sorts["crash"] == 2 * (report["apply"]["writes"] + report["destroy"]["writes"])
    assert sorts["lost"] == sorts["denied"] > 15
    # Who may not do something fails, and goes on when allowed to: nothing is hidden by one run that does it all.
    assert all(trouble["runs"] > 1 for trouble in report["troubles"] if ":denied:" in trouble["trouble"])
    assert not (sharing.spec / "state").exists(), "a rehearsal leaves nothing"


def test_the_walkthrough_takes_as_long_as_on_aws_and_nobody_waits_for_it(walkthrough: Rehearsing) -> None:
    done = walkthrough.play("--json", "--sample=12")
    report = done.json()
    assert report["is_fine"] and len(report["troubles"]) == 12 < report["known_troubles"]
    assert report["apply"]["seconds"] > 10 * 60 > done.seconds
    path = [step["address"] for step in report["apply"]["critical_path"]]
    assert path[0] == "vpc.main" and path[-1] == "ingress_load_balancer.game_2048"
    assert "eks_cluster.main" in path and "eks_node_group.workers" in path
    ends = [step["ended"] for step in report["apply"]["critical_path"]]
    starts = [step["started"] for step in report["apply"]["critical_path"]]
    assert all(end <= start for end, start in zip(ends, starts[1:], strict=False)), "one comes after the other"
    assert "ram:CreateResourceShare" in report["actions"]["network"]
    assert "eks:CreateCluster" in report["actions"]["apps"]
    # What was done is allowed by the policies that are printed.
    for account, actions in report["actions"].items():
        text = json.dumps(report["policies"][account])
        called = {action for action in actions if action.startswith(("ec2:Create", "ram:", "eks:Create", "iam:Create"))}
        assert [action for action in called if f'"{action}"' not in text] == []


INGRESS = "/apis/networking.k8s.io/v1/namespaces/game-2048/ingresses/ingress-2048"
SILENT = (
    'Internal error occurred: failed calling webhook "vingress.elbv2.k8s.aws": failed to call webhook: '
    "context deadline exceeded"
)
# What a token that has expired and webhooks of the controller that nobody answers look like from outside.
TROUBLES = {
    "webhook": {"fault": "before", "operation": "Patch", "lasting": 120, "message": SILENT, "path": INGRESS},
    "deleting": {"fault": "before", "operation": "Delete", "lasting": 120, "message": SILENT, "path": INGRESS},
    "tokens": {"fault": "expired", "operation": "*", "skip": 20, "count": 2, "path": "*"},
}


@pytest.mark.parametrize("trouble", TROUBLES.values(), ids=TROUBLES)
def test_what_a_cluster_lacks_for_a_while_is_waited_for(walkthrough: Rehearsing, trouble: dict[str, Any]) -> None:
    path = trouble.pop("path")
    rule = trouble | {"service": "kubernetes", "principal": "*:root", "parameters": {"path": path}}
    if trouble["operation"] == "Patch":
        rule["parameters"]["query"] = "fieldManager=straddle&fieldValidation=Strict"
    (walkthrough.folder / "faults.json").write_text(json.dumps({"fault": [rule]}))
    usual = walkthrough.report("--sample=0")
    report = walkthrough.report("--sample=0", "--faults=faults.json")
    assert report["is_fine"], report["problems"]
    run = "destroy" if trouble["operation"] == "Delete" else "apply"
    assert report[run]["requests"] > usual[run]["requests"], "nobody met it"
    waited = report[run]["seconds"] - usual[run]["seconds"]
    assert trouble.get("lasting", 0) <= waited < 240


def test_troubles_have_names_by_which_they_are_played_alone(sharing: Rehearsing) -> None:
    names = sharing.play("--list").stdout.splitlines()
    assert len(names) == len(set(names)) > 100
    report = sharing.report(f"--only={names[0]}", f"--only={names[-1]}")
    assert [trouble["trouble"] for trouble in report["troubles"]] == [names[0], names[-1]]
    said = sharing.play(f"--only={names[0]}").stdout
    assert "1 of 1 converged, nothing left" in said and f"{len(names) - 1} more were not played" in said
    refused = sharing.play("--only=apply:crash:before:0", code=1)
    assert "apply:crash:before:0" in refused.stderr and "--list" in refused.stderr


def test_what_cannot_be_taken_away_is_a_problem(sharing: Rehearsing) -> None:
    file = sharing.spec / "network.toml"
    file.write_text(file.read_text().replace("[vpc.main]\n", "[vpc.main]\nprevent_destroy = true\n"))
    report = sharing.report("--sample=4", code=3)
    assert not report["is_fine"]
    assert any("vpc.main" in problem for problem in report["problems"])
    assert any("left behind: " in problem and ":vpc/" in problem for problem in report["problems"])
    said = sharing.play("--sample=0", code=3).stdout
    assert "Problems" in said and "vpc.main" in said


def test_what_cannot_be_planned_is_an_error_with_its_place(sharing: Rehearsing) -> None:
    file = sharing.spec / "network.toml"
    file.write_text(file.read_text() + '\n[vpc.other]\ncidr_block = "10.0.0.0/8"\n')
    refused = sharing.play(code=1)
    assert "network.toml" in refused.stderr and "10.0.0.0/8" in refused.stderr
