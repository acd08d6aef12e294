"""What AWS does and moto does not, where a trial would prove something else without it.

- `DeleteNatGateway` lets its addresses go. Moto keeps them associated for ever, so that no
  other gateway could get them.
- `AssociateRouteTable` refuses a subnet that goes by another table. Moto answers with the
  association that is there, as if it were with the table asked for.
"""

import re

from . import query
from .faults import Answer, ec2_error
from .request import Entry


class Corrections:
    """Corrects the answers of one moto, and what it has done."""

    def __init__(self, moto: tuple[str, int]) -> None:
        self._moto = moto

    def refusal(self, entry: Entry) -> Answer | None:
        """Returns the error that AWS would answer in moto's place, if it is one."""
        if entry.operation != "AssociateRouteTable" or "SubnetId" not in entry.parameters:
            return None
        of_subnet = {
            "Filter.1.Name": "association.subnet-id",
            "Filter.1.Value.1": str(entry.parameters["SubnetId"]),
        }
        tables = re.findall(r"<routeTableId>(rtb-\w+)<", self._call(entry, "DescribeRouteTables", of_subnet))
        wanted = str(entry.parameters["RouteTableId"])
        if not tables or wanted in tables:
            return None
        message = f"the specified association for route table {wanted} conflicts with an existing association"
        return ec2_error(400, "Resource.AlreadyAssociated", message)

    def complete(self, entry: Entry) -> None:
        """Does what AWS would have done besides."""
        if entry.operation == "DeleteNatGateway" and entry.worked == 200:
            gateway = {"NatGatewayId.1": str(entry.parameters["NatGatewayId"])}
            answer = self._call(entry, "DescribeNatGateways", gateway)
            for allocation in re.findall(r"<allocationId>(eipalloc-\w+)<", answer):
                address = self._call(entry, "DescribeAddresses", {"AllocationId.1": allocation})
                for association in re.findall(r"<associationId>(eipassoc-\w+)<", address):
                    self._call(entry, "DisassociateAddress", {"AssociationId": association})

    def _call(self, entry: Entry, action: str, parameters: dict[str, str]) -> str:
        return query.call(self._moto, "ec2", action, parameters, account=entry.account)
