"""From verified claims to `VerifiedLogin`: claim names become incoming attribute names.

Where ID token and userinfo state the same claim, the ID token's counts, for it is signed. What a
claim means is the identity-provider document's business, not decided here.
"""

from collections.abc import Mapping

from broker.domain.federation import SchoolIdp
from broker.domain.identity import VerifiedLogin
from broker.oidc_rp.id_token import VerifiedIdToken
from broker.oidc_rp.userinfo import VerifiedUserinfo


def to_verified_login(
    idp: SchoolIdp, id_token: VerifiedIdToken, userinfo: VerifiedUserinfo | None
) -> VerifiedLogin:
    """Return what the school stated, as attribute name -> values as sent, in order.

    Booleans become `true` and `false`, whole numbers their digits; `null` and empty lists are
    absent. Claims of another form are left out; `find_unreadable_claims` names them.
    """
    attributes: dict[str, tuple[str, ...]] = {}
    for name, value in _merge(id_token, userinfo).items():
        texts = _read_texts(value)
        if texts:
            attributes[name] = texts
    return VerifiedLogin(idp, attributes, id_token.authenticated_at, id_token.acr)


def find_unreadable_claims(
    id_token: VerifiedIdToken, userinfo: VerifiedUserinfo | None
) -> tuple[str, ...]:
    """Return the names of claims that cannot be attribute values: objects, lists in lists,
    fractions. Counted and reported by name, never by value.
    """
    merged = _merge(id_token, userinfo)
    return tuple(name for name, value in merged.items() if _read_texts(value) is None)


def _merge(id_token: VerifiedIdToken, userinfo: VerifiedUserinfo | None) -> Mapping[str, object]:
    return {**(userinfo.claims if userinfo else {}), **id_token.claims}


def _read_texts(value: object) -> tuple[str, ...] | None:
    """None when some part has no exact text; a fraction's text is not what was sent."""
    texts: list[str] = []
    for each in value if isinstance(value, list) else [value]:
        if isinstance(each, str):
            texts.append(each)
        elif isinstance(each, bool):
            texts.append("true" if each else "false")
        elif isinstance(each, int):
            texts.append(str(each))
        elif each is not None:
            return None
    return tuple(texts)
