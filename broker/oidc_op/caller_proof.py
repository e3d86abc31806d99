"""What a caller of an endpoint for machines shows beside its form: read once, nothing proven.

Every such endpoint takes one `CallerProof`. Specifications: RFC 6749 2.3.1, RFC 6750 2.1 and
RFC 9449 7.1 (Authorization), RFC 9449 4.1 (DPoP), RFC 8705 (client certificates).
"""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class ClientCertificate:
    """The certificate of the connection, as a hop that we trust or our own TLS states it.

    The sender has its private key: TLS proved that. Who it is, is another question.

    Attributes:
        der: X.509.
        chain_proven: whether an authority of ours vouches for it, by its chain and dates.
    """

    der: bytes = field(repr=False)
    chain_proven: bool = False


@dataclass(frozen=True, slots=True)
class CallerProof:
    """What came beside the form.

    Attributes:
        authorization: the Authorization header as received; None when absent.
        dpop: every DPoP header as received; an honest caller sends one at most.
        certificate: of the connection; None when there was none, or nobody whom we trust says so.
    """

    authorization: str | None = field(default=None, repr=False)
    dpop: tuple[str, ...] = field(default=(), repr=False)
    certificate: ClientCertificate | None = None


NO_PROOF = CallerProof()
