"""A few calls to AWS's query protocol without an SDK.

moto checks no signature: the credential scope alone tells it the service and
the caller. So the harness needs no package to set up moto or to ask it who owns
an access key.
"""

import http.client
import re
import urllib.parse

REGION = "us-east-1"

VERSIONS = {"ec2": "2016-11-15", "iam": "2010-05-08", "sts": "2011-06-15"}


class QueryError(Exception):
    """An answer other than 200."""


def call(
    address: tuple[str, int],
    service: str,
    action: str,
    parameters: dict[str, str],
    *,
    access_key: str = "harness",
    account: str | None = None,
) -> str:
    """Returns the XML that moto answers. With `account`, the call is made in that
    account whatever the access key is (a header of moto's own)."""
    form = {"Action": action, "Version": VERSIONS[service], **parameters}
    headers = {
        "Content-Type": "application/x-www-form-urlencoded",
        "Authorization": f"AWS4-HMAC-SHA256 Credential={access_key}/20260101/{REGION}/{service}"
        "/aws4_request, SignedHeaders=host, Signature=unchecked",
    }
    if account is not None:
        headers["x-moto-account-id"] = account
    return post(address, "/", urllib.parse.urlencode(form), headers)


def post(address: tuple[str, int], path: str, body: str, headers: dict[str, str]) -> str:
    """Sends one POST and returns the body of the answer."""
    return send(address, "POST", path, body, headers)


def send(address: tuple[str, int], method: str, path: str, body: str, headers: dict[str, str]) -> str:
    """Sends one request and returns the body of the answer."""
    connection = http.client.HTTPConnection(*address, timeout=60)
    try:
        connection.request(method, path, body, headers)
        response = connection.getresponse()
        text = response.read().decode()
    finally:
        connection.close()
    if response.status != 200:
        raise QueryError(f"{path} answered {response.status}: {text[:500]}")
    return text


def element(xml: str, name: str) -> str:
    """Returns the text of the first element of that name, whatever its namespace."""
    found = re.search(rf"<{name}>([^<]*)</{name}>", xml)
    if found is None:
        raise QueryError(f"no <{name}> in: {xml[:500]}")
    return found.group(1)
