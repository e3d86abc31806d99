"""The keys as the flows work with them at one moment: what is in use, and what else is accepted."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

from cryptography.hazmat.primitives.serialization import Encoding

from broker.adapters.keys.keys_on_disk import BrokerKeys, HexKey
from broker.adapters.keys.keys_standing import find_standing
from broker.adapters.keys.pem_keys import SamlKey, TokenKey
from broker.flow.enrolment.enrolment_records import derive_enrolment_keys
from broker.flow.held_state.handles import StorageKey
from broker.flow.key_plans.key_schedule import KeyState
from broker.flow.persons.register import derive_register_keys
from broker.flow.ports import FlowKeys
from broker.flow.shielding.shield_records import derive_shield_keys
from broker.jose.keys import SigningKey as TokenSigningKey
from broker.jose.keys import signing_key_of
from broker.oidc_op.jwks import TokenKeys
from broker.saml_xml.keys import DecryptionKey, SigningKey, decryption_key, signing_key

FileKey = TypeVar("FileKey", HexKey, SamlKey, TokenKey)

USABLE = (KeyState.IN_USE, KeyState.PUBLISHED, KeyState.ACCEPTED)
"""Every state but retired, the one in use first."""


@dataclass(frozen=True, slots=True)
class KeysInForce:
    """All keys of one moment.

    Attributes:
        storage: those of the login store that are not retired, the one in use first.
        cookie: likewise; the first makes the tokens in our forms, the others are accepted.
    """

    flow: FlowKeys = field(repr=False)
    storage: tuple[StorageKey, ...] = field(repr=False)
    cookie: tuple[bytes, ...] = field(repr=False)


def read_keys_in_force(keys: BrokerKeys, *, now: datetime) -> KeysInForce:
    """Return the keys in the forms that the flows work with.

    Raises:
        KeysUnusable: as `find_standing`.
    """
    states = find_standing(keys, now=now)
    token = {
        state: tuple(map(_token_key, _in_state(keys.token, states, state))) for state in USABLE
    }
    signing, *more = _in_state(keys.saml_signing, states, *USABLE)
    return KeysInForce(
        flow=FlowKeys(
            root=keys.root,
            pairwise=keys.pairwise,
            register=derive_register_keys(keys.register),
            enrolment=derive_enrolment_keys(keys.register),
            shields=derive_shield_keys(keys.register),
            receipts=keys.receipts,
            token=TokenKeys(
                active=token[KeyState.IN_USE],
                announced=token[KeyState.PUBLISHED],
                retired=token[KeyState.ACCEPTED],
            ),
            saml_signing=_saml_signing_key(signing),
            saml_more_certificates=tuple(map(_certificate, more)),
            saml_decryption=tuple(
                map(_saml_decryption_key, _in_state(keys.saml_decryption, states, *USABLE))
            ),
        ),
        storage=tuple(
            StorageKey(each.secret, each.letter)
            for each in _in_state(keys.storage, states, *USABLE)
        ),
        cookie=tuple(each.secret for each in _in_state(keys.cookie, states, *USABLE)),
    )


def _in_state(
    keys: Sequence[FileKey], states: Mapping[str, KeyState], *wanted: KeyState
) -> list[FileKey]:
    """Return the keys in the wanted states, in the order of the states."""
    return [each for state in wanted for each in keys if states[each.file] is state]


def _token_key(key: TokenKey) -> TokenSigningKey:
    return signing_key_of(key.private_key, rsa_algorithm=key.algorithm)


def _saml_signing_key(key: SamlKey) -> SigningKey:
    return signing_key(key.private_key, _certificate(key))


def _saml_decryption_key(key: SamlKey) -> DecryptionKey:
    return decryption_key(key.private_key, _certificate(key))


def _certificate(key: SamlKey) -> bytes:
    return key.certificate.public_bytes(Encoding.DER)
