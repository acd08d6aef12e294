"""The walkthrough, `specs/cross-account-alb`, whose apply and whose destroy are killed with `kill -9` at any moment: the
next run goes on, nothing is made twice, and nothing is left."""

import signal
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from .sandbox import binary
from .shell import PATIENCE, SANDBOX
from .sister import Sister

pytestmark = [
    pytest.mark.only_on("sandbox", "the others have no clusters with objects"),
    pytest.mark.usefixtures("built"),
]

# How many moments there are, from the first request of a run to the last.
MOMENTS = 30
# How many requests an apply and a destroy make, about: a tenth more or less does not matter.
REQUESTS = {"apply": 310, "destroy": 270}


@pytest.fixture
def walk(tmp_path: Path) -> Iterator[Sister]:
    """The walkthrough, in a world in which policies decide."""
    with Sister(tmp_path, "cross-account-alb") as walk:
        walk.environment["STRADDLE_CONSISTENCY_WINDOW"] = "300ms"
        yield walk


def asked(walk: Sister) -> int:
    """Returns how many requests there were; lines are counted, and not read."""
    file = walk.world_file.with_name(f"{walk.world_file.name}.requests")
    return file.read_bytes().count(b"\n") if file.exists() else 0


def kill_at(walk: Sister, command: str, moment: int) -> None:
    """Starts a command and kills it at one of the moments; one that ends before is let be."""
    wanted = asked(walk) + 1 + REQUESTS[command] * moment // MOMENTS
    words = [str(binary()), command, "spec", *SANDBOX, "--auto-approve"]
    # Who reads nothing of what it says would have it wait.
    process = subprocess.Popen(
        words, cwd=walk.folder, env=walk.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    deadline = time.monotonic() + PATIENCE
    while asked(walk) < wanted and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.002)
    process.kill()
    process.wait()
    assert process.returncode in (0, -signal.SIGKILL), process.returncode


@pytest.mark.one_in(10)
@pytest.mark.parametrize("moment", range(MOMENTS))
def test_what_was_killed_is_gone_on_with(walk: Sister, moment: int) -> None:
    kill_at(walk, "apply", moment)
    walk.apply()
    assert walk.visit(walk.url())[0] == 200
    made = Counter(request.operation for request in walk.requests() if request.outcome == "ok")
    once = ["CreateVpc", "CreateNatGateway", "CreateCluster", "CreateNodegroup", "CreateLoadBalancer"]
    assert {name: made[name] for name in once} == dict.fromkeys(once, 1)
    walk.assert_converged()
    kill_at(walk, "destroy", moment)
    walk.destroy()
    walk.assert_gone()
