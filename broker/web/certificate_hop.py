"""The client's certificate, as the hop in front of us states it (RFC 8705 6.3).

TLS ends at a proxy, which puts what it saw into a header. That header is believed from the proxies
that the settings name, by the address of the connection; from anybody else it is as if it were not
there. A proxy must take it away where a client sent it: `docker/nginx/proxy.conf` does.
"""

import base64
import ipaddress
import re
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

from starlette.requests import Request

from broker.oidc_op.caller_proof import ClientCertificate
from broker.oidc_op.client_certificates import MAX_CERTIFICATE_BYTES

HOP_IN_SCOPE = "schuilnaam.certificate-hop"
"""Under which `Edge` hands the hop on with each request."""

MAX_ESCAPED_CHARS = 3 * 2 * MAX_CERTIFICATE_BYTES  # every character of the PEM escaped
PROVEN = "SUCCESS"  # nginx: $ssl_client_verify

_PEM = re.compile(
    rb"\s*-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\s]+)-----END CERTIFICATE-----\s*\Z"
)

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True, slots=True)
class CertificateHop:
    """Who may state a client's certificate, and how.

    Attributes:
        networks: addresses of the proxies.
        header: with the certificate: PEM, percent-encoded.
        verified_header: with what the proxy's check of its chain said; `SUCCESS` is proven.
    """

    networks: tuple[Network, ...]
    header: str
    verified_header: str

    def read(self, request: Request) -> ClientCertificate | None:
        """Return the certificate that came with a request.

        None when there is none, when it cannot be read or is stated twice, or when the request
        comes from anybody but a named proxy.
        """
        stated = request.headers.getlist(self.header)
        if len(stated) != 1 or not stated[0] or not self._is_trusted(request):
            return None
        der = read_escaped_pem(stated[0])
        if der is None:
            return None
        verified = request.headers.getlist(self.verified_header)
        return ClientCertificate(der, chain_proven=verified == [PROVEN])

    def _is_trusted(self, request: Request) -> bool:
        if request.client is None:
            return False
        try:
            address = ipaddress.ip_address(request.client.host)
        except ValueError:
            return False
        if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
            address = address.ipv4_mapped
        return any(address in each for each in self.networks)


def read_networks(stated: Sequence[str]) -> tuple[Network, ...]:
    """Return the networks of the settings; one address is a network of one.

    Raises:
        ValueError: one of them is none.

    >>> read_networks(["127.0.0.1"])
    (IPv4Network('127.0.0.1/32'),)
    """
    return tuple(map(ipaddress.ip_network, stated))


def read_escaped_pem(escaped: str) -> bytes | None:
    """Return the DER of one certificate in percent-encoded PEM; None when it is none.

    >>> read_escaped_pem("-----BEGIN%20CERTIFICATE-----%0AAAAA%0A-----END%20CERTIFICATE-----%0A")
    b'\\x00\\x00\\x00'
    """
    if len(escaped) > MAX_ESCAPED_CHARS:
        return None
    found = _PEM.match(unquote_to_bytes(escaped))
    if found is None:
        return None
    try:
        return base64.b64decode(b"".join(found[1].split()), validate=True)
    except ValueError:
        return None
