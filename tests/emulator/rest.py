"""Names of REST operations by method and path, as botocore's models of the services have them."""

import functools
import re
import urllib.parse

_PARAMETER = re.compile(r"\{(\w+)\+?\}")


def operation(service: str, method: str, path: str) -> tuple[str, dict[str, str]] | None:
    """Returns the name of the operation and the parameters in its path; None if there is no such
    service or operation."""
    for name, of_method, pattern in _operations(service):
        found = pattern.fullmatch(path) if method == of_method else None
        if found:
            return name, {key: urllib.parse.unquote(value) for key, value in found.groupdict().items()}
    return None


@functools.cache
def _operations(service: str) -> list[tuple[str, str, re.Pattern[str]]]:
    if service not in ("eks", "ram"):
        return []
    import botocore.session

    model = botocore.session.get_session().get_service_model(service)
    found = []
    for name in model.operation_names:
        http = model.operation_model(name).http
        parts = _PARAMETER.split(http["requestUri"].partition("?")[0])
        # Text and names of parameters take turns; an ARN in a path has slashes of its own.
        pattern = "".join(
            re.escape(part) if number % 2 == 0 else f"(?P<{part}>{'.+' if 'Arn' in part else '[^/]+'})"
            for number, part in enumerate(parts)
        )
        found.append((name, http["method"], re.compile(pattern)))
    return found
