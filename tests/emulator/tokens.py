"""Remembers client tokens for moto, which does not.

EC2 and RAM answer a second CreateNatGateway, CreateRouteTable or CreateResourceShare
with the same token and parameters with what the first one made, and refuse the token
with other parameters. Moto takes no notice of tokens, so without this no test could tell a
client that sends them from one that does not.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from .faults import Answer, ec2_error, json_error
from .request import Entry, Outcome


# The parameter that is the token, by service.
_TOKENS = {"ec2": "ClientToken", "ram": "clientToken"}


@dataclass
class _Memory:
    lock: threading.Lock = field(default_factory=threading.Lock)
    parameters: dict[str, object] | None = None
    answer: Answer | None = None


class TokenMemory:
    """The client tokens of one proxy, for ever: AWS keeps them beyond the life of
    what they made, too."""

    def __init__(self) -> None:
        self._memories: dict[tuple[str, str, str, str], _Memory] = {}
        self._lock = threading.Lock()

    def work(self, entry: Entry, forward: Callable[[Entry], Answer]) -> Answer:
        """Forwards the request, unless its token has been answered before."""
        token = entry.parameters.get(_TOKENS.get(entry.service, ""))
        if not token or entry.parameters.get("DryRun") == "true":
            return forward(entry)
        key = (entry.account, entry.region, entry.operation, str(token))
        with self._lock:
            memory = self._memories.setdefault(key, _Memory())
        # Held while moto works, so that a repetition that comes in meanwhile waits.
        with memory.lock:
            if memory.answer is None:
                answer = forward(entry)
                if answer.status == 200:
                    memory.parameters, memory.answer = entry.parameters, answer
                return answer
            entry.outcome = Outcome.REPLAYED
            if memory.parameters == entry.parameters:
                return memory.answer
            message = "The client token was used before with other parameters."
            if entry.service == "ram":
                return json_error(400, "IdempotentParameterMismatchException", message)
            return ec2_error(400, "IdempotentParameterMismatch", message)
