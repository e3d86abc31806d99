"""How a SAML service provider is answered, beyond what each of its requests asks.

Decided by its document (`config/README.md`) and, where that is silent, by what its metadata asks
for. None of it releases more: the pseudonym is the supplier's own in every form.
"""

from typing import Literal

import msgspec

from broker.domain.ids import RelyingPartyId

Signed = Literal["response", "assertion", "both"]
"""What of an answer carries a signature."""

NameIdChoice = Literal["asked", "persistent", "none"]
"""Which NameID an answer has: as the request asks, the pseudonym whatever it asks, or none."""

AttributeNaming = Literal["basic", "uri"]
"""By what names attributes go out: their own, or URIs where one is registered (saml2int IDP18)."""

PAIRWISE_ID = "pairwise-id"
"""In `pseudonym_attributes`: the attribute of the subject-id profile, with our scope behind it."""


class AnswerForm(msgspec.Struct, frozen=True, kw_only=True):
    """How one service provider is answered.

    Attributes:
        signed: one signature costs 0.5 ms, so one where one suffices.
        pseudonym_attributes: names of attributes that hold the pseudonym too; `PAIRWISE_ID`, or
            any other name for programs that read no NameID.
        unsolicited: a link of ours may bring a login that it did not ask for (profiles 4.1.5).
        proxies_for: systems in whose name it may ask; then what both may have is released.
    """

    signed: Signed = "response"
    name_ids: NameIdChoice = "asked"
    pseudonym_attributes: tuple[str, ...] = ()
    attribute_names: AttributeNaming = "basic"
    unsolicited: bool = False
    proxies_for: tuple[RelyingPartyId, ...] = ()


DEFAULT_FORM = AnswerForm()
