"""Serves moto on a loopback port that the kernel chooses, and prints the port.

Run by the Python of `tests/.venv`, never imported: see `moto.Moto`.
"""

import json
import sys
from typing import Any

from moto.ram import models, urls
from moto.ram.exceptions import UnknownResourceException
from moto.ram.responses import ResourceAccessManagerResponse
from moto.server import ThreadedMotoServer


def main() -> None:
    """Serves until standard input closes, which it does when the starter dies,
    however it dies: no server is ever left behind."""
    complete_shares()
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    print(server.get_host_and_port()[1], flush=True)
    sys.stdin.buffer.read()


def complete_shares() -> None:
    """Teaches moto what it lacks of RAM: a share is listed with its tags, which change,
    members join and leave it, and that sharing was switched on shows in the organization.
    Whoever is let in or out is so at once, unlike on AWS."""
    models.ResourceShare = ShareWithTags
    switch_on = ResourceAccessManagerResponse.enable_sharing_with_aws_organization

    def switch_on_and_show(response: Any) -> str:
        answer = switch_on(response)
        organization = response.ram_backend.organizations_backend
        organization.enable_aws_service_access(ServicePrincipal="ram.amazonaws.com")
        return answer

    ResourceAccessManagerResponse.enable_sharing_with_aws_organization = switch_on_and_show
    for operation in (_associate_resource_share, _disassociate_resource_share, _tag_resource, _untag_resource):
        name = operation.__name__.removeprefix("_")
        setattr(ResourceAccessManagerResponse, name, operation)
        urls.url_paths[f"{{0}}/{name.replace('_', '')}$"] = ResourceAccessManagerResponse.dispatch


class ShareWithTags(models.ResourceShare):
    """A share that keeps the tags that it was made with."""

    # Moto goes by the module to know which service a model belongs to.
    __module__ = models.__name__

    def __init__(self, account_id: str, region: str, **parameters: Any) -> None:
        super().__init__(account_id, region, **parameters)
        self.tags = {tag["key"]: tag["value"] for tag in parameters.get("tags", [])}

    def describe(self) -> dict[str, Any]:
        """Returns what RAM says about it."""
        tags = [{"key": key, "value": value} for key, value in self.tags.items()]
        return super().describe() | {"tags": tags}


def _associate_resource_share(response: Any) -> str:
    share, parameters = _share(response)
    share.add_principals([new for new in parameters.get("principals", []) if new not in share.principals])
    share.add_resources([new for new in parameters.get("resourceArns", []) if new not in share.resource_arns])
    return json.dumps({"resourceShareAssociations": []})


def _disassociate_resource_share(response: Any) -> str:
    share, parameters = _share(response)
    share.principals = [old for old in share.principals if old not in parameters.get("principals", [])]
    share.resource_arns = [old for old in share.resource_arns if old not in parameters.get("resourceArns", [])]
    return json.dumps({"resourceShareAssociations": []})


def _tag_resource(response: Any) -> str:
    share, parameters = _share(response)
    share.tags |= {tag["key"]: tag["value"] for tag in parameters["tags"]}
    return "{}"


def _untag_resource(response: Any) -> str:
    share, parameters = _share(response)
    share.tags = {key: value for key, value in share.tags.items() if key not in parameters["tagKeys"]}
    return "{}"


def _share(response: Any) -> tuple[ShareWithTags, dict[str, Any]]:
    """Returns the share that a request is about, and the request."""
    parameters = response.request_params
    arn = parameters["resourceShareArn"]
    for share in response.ram_backend.resource_shares:
        if share.arn == arn and share.status != "DELETED":
            return share, parameters
    raise UnknownResourceException(f"ResourceShare {arn} could not be found.")


if __name__ == "__main__":
    main()
