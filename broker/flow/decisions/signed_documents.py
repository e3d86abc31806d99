"""What a school or board signs, as a text to keep: canonical JSON, and its SHA-256.

Keys are in order, nothing is between them, and letters stand as they are: the same decision is the
same bytes everywhere (as RFC 8785, for texts, whole numbers and true or false alone). It names the
agreement as it was put in force, who decided, for which service on which version of its sheet with
the digest of that sheet, and by which keyed hashes and roles it was prepared and signed.
"""

import json
from datetime import datetime
from hashlib import sha256
from typing import Any

import msgspec

from broker.domain.console_roles import Role
from broker.domain.documents import AgreementDocument, SupplierDocument
from broker.flow.console.console_audit import write_moment
from broker.flow.decisions.decision_types import PreparedDecision

FORMAT = "schuilnaam-decision/1"


def build_signed(
    agreement: AgreementDocument,
    *,
    supplier: SupplierDocument,
    decider_name: str,
    prepared: PreparedDecision,
    signed_by: str,
    signed_role: Role,
    at: datetime,
) -> str:
    """Return the document that was signed, as canonical JSON."""
    return canonical_json(
        {
            "format": FORMAT,
            "agreement": msgspec.to_builtins(agreement),
            "decided_for": decider_name,
            "supplier": {
                "id": supplier.id,
                "legal_name": supplier.legal_name,
                "sheet": 0 if supplier.sheet is None else supplier.sheet.version,
                "sheet_sha256": digest_sheet(supplier),
            },
            "prepared": {
                "by": prepared.prepared_by,
                "role": prepared.prepared_role.value,
                "at": write_moment(prepared.prepared_at),
            },
            "signed": {"by": signed_by, "role": signed_role.value, "at": write_moment(at)},
        }
    )


def digest_sheet(supplier: SupplierDocument) -> str:
    """Return the SHA-256 of what the school read: the sheet, and what is asked and why."""
    read: dict[str, Any] = {
        "sheet": None if supplier.sheet is None else msgspec.to_builtins(supplier.sheet),
        "attributes": [msgspec.to_builtins(each) for each in supplier.attribute],
    }
    return digest(canonical_json(read))


def canonical_json(value: object) -> str:
    """Return a value as the one text that JSON has for it.

    >>> canonical_json({"b": [1, "é"], "a": None})
    '{"a":null,"b":[1,"é"]}'
    """
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def digest(text: str) -> str:
    """Return the SHA-256 of a text: 64 hexadecimal digits."""
    return sha256(text.encode()).hexdigest()
