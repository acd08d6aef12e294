"""Two runs at once, signals, and readers that go away."""

import signal
import subprocess
import threading
import time

import pytest

from .network import Network
from .proxy import Stage
from .request import Entry
from .straddle import Done, Running, binary


class Pause:
    """A hook that keeps the first request of an operation from moto until it is told to go on."""

    def __init__(self, operation: str, answer_held: bool = False) -> None:
        self._operation = operation
        self._stage = Stage.WORKED if answer_held else Stage.RECEIVED
        self._reached = threading.Event()
        self._released = threading.Event()

    def __call__(self, entry: Entry, stage: Stage) -> bool:
        if entry.operation == self._operation and stage == self._stage and not self._reached.is_set():
            self._reached.set()
            assert self._released.wait(60), "nobody released the request"
        return True

    def wait(self) -> None:
        """Returns when the request is held."""
        assert self._reached.wait(60), f"there was no {self._operation}"

    def release(self) -> None:
        """Lets it go on."""
        self._released.set()


def hold(
    network: Network, operation: str, command: str = "apply", answer_held: bool = False
) -> tuple[Running, Pause]:
    """Starts a command and returns when it has sent that request, which is held."""
    pause = Pause(operation, answer_held)
    network.proxy.on_request = pause
    running = network.start(command)
    pause.wait()
    return running, pause


def test_of_two_applies_one_goes_on_and_the_other_is_told_who_does(network: Network) -> None:
    running, pause = hold(network, "CreateVpc")
    try:
        for command in ("apply", "destroy"):
            other = network.run(command, "--auto-approve", code=4)
            # What it has in common with the other's requests is none of its own.
            assert "GetCallerIdentity" not in other.reads
            assert f"`straddle apply`, process {running.process_id} on " in other.words
    finally:
        pause.release()
    running.wait().expect(0)
    network.assert_converged()


def test_a_plan_is_made_while_an_apply_is_running(network: Network) -> None:
    network.apply()
    network.edit('{ Name = "shared" }', '{ Name = "other" }')
    running, pause = hold(network, "CreateTags")
    try:
        assert "1 to change" in network.plan(code=2).stdout
    finally:
        pause.release()
    running.wait().expect(0)
    network.assert_converged()


def test_of_many_applies_at_the_same_moment_one_goes_on(network: Network) -> None:
    runs = [network.start("apply") for _ in range(4)]
    codes = sorted(run.wait().code for run in runs)
    # One that came after the first had ended found nothing to do.
    assert codes[0] == 0 and set(codes) <= {0, 4}
    network.assert_converged()


def test_a_killed_run_does_not_keep_the_lock(network: Network) -> None:
    running, pause = hold(network, "CreateVpc")
    running.kill()
    pause.release()
    network.proxy.clear()
    network.apply()
    network.assert_converged()


@pytest.mark.one_in(2)
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("operation", ["CreateVpc", "CreateSubnet", "CreateNatGateway"])
def test_a_signal_lets_what_is_running_finish(network: Network, operation: str, number: int) -> None:
    running, pause = hold(network, operation)
    running.interrupt(number)
    time.sleep(0.3)
    assert running.is_running, "it does not leave a call behind whose answer it could have had"
    pause.release()
    done = running.wait().expect(130)
    assert "Stopping: nothing new is started" in done.stderr
    # What was running is whole: nothing of unknown outcome, nothing half done.
    network.assert_known()
    network.proxy.clear()
    network.apply()
    network.assert_converged()


@pytest.mark.parametrize("operation", ["CreateVpc", "CreateNatGateway"])
def test_a_second_signal_stops_waiting(network: Network, operation: str) -> None:
    # Without an answer, an apply would look for the thing until the window has closed.
    network.proxy.add(operation, "before", times=None)
    network.straddle.environment["STRADDLE_CONSISTENCY_WINDOW"] = "10m"
    running = network.start("apply")
    while not network.proxy.log.of(operation):
        assert running.is_running, running.wait()
        time.sleep(0.02)
    time.sleep(0.3)
    running.interrupt()
    time.sleep(0.3)
    assert running.is_running
    running.interrupt()
    began = time.monotonic()
    done = running.wait(20).expect(130)
    assert time.monotonic() - began < 5 and "Not waiting any longer" in done.stderr
    network.straddle.environment["STRADDLE_CONSISTENCY_WINDOW"] = "2s"
    network.proxy.clear()
    network.apply()
    network.assert_converged()


def test_a_destroy_is_interrupted_and_finished(network: Network) -> None:
    network.apply()
    running, pause = hold(network, "DeleteNatGateway", "destroy")
    running.interrupt()
    time.sleep(0.1)
    pause.release()
    running.wait().expect(130)
    assert network.things() != []
    network.destroy()
    network.assert_gone()


def test_a_plan_ends_at_the_first_signal(network: Network) -> None:
    network.apply()
    files = network.files()
    pause = Pause("DescribeSubnets")
    network.proxy.on_request = pause
    running = network.straddle.start("plan", *network.spec)
    pause.wait()
    running.interrupt()
    running.wait(20).expect(130)
    pause.release()
    assert network.files() == files


@pytest.mark.parametrize("stream", ["stdout", "stderr", "both"])
def test_an_apply_whose_reader_goes_away_is_carried_out(network: Network, stream: str) -> None:
    done = apply_into_closed_pipe(network, stream)
    assert done.code in (0, 1, 141), done
    assert "panicked" not in done.stdout + done.stderr
    network.apply()
    network.assert_converged()


def apply_into_closed_pipe(network: Network, stream: str) -> Done:
    """Runs an apply as in `straddle apply | head -1`, with one of its outputs or both."""
    files = {
        name: subprocess.PIPE if stream in (name, "both") else subprocess.DEVNULL
        for name in ("stdout", "stderr")
    }
    command = [str(binary()), "apply", *map(str, network.spec), "--auto-approve"]
    began = time.monotonic()
    with subprocess.Popen(
        command,
        env=network.straddle.environment,
        cwd=network.straddle.folder,
        stdin=subprocess.DEVNULL,
        **files,
    ) as process:
        for pipe in (process.stdout, process.stderr):
            if pipe is not None:
                pipe.readline()
                pipe.close()
        code = process.wait(60)
    return Done(command[1:], code, "", "", time.monotonic() - began)
