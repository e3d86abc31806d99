"""Checking a supplier's request, and one that must be refused."""

from typing import Any

import pytest

from broker.domain.refusals import Refusal
from broker.domain.registry import Registry
from broker.domain.relying_parties import SamlServiceProvider
from broker.saml_idp import refusals as r
from broker.saml_idp.request import CheckedAuthnRequest, check_authn_request
from broker.saml_xml.elements import Element, build_element
from broker.saml_xml.forms import PostedForm
from tests.builders_saml import (
    BROKER_SSO,
    NOW,
    XML,
    a_registry,
    an_authn_request,
    as_query,
    samlp,
)


def check(
    request: Element | bytes | PostedForm | None = None,
    *,
    registry: Registry | None = None,
    provider: SamlServiceProvider | None = None,
    sso_url: str = BROKER_SSO,
    now: Any = NOW,
) -> CheckedAuthnRequest:
    """Check a message, or a request that came unsigned by redirect."""
    message: Any = an_authn_request() if request is None else request
    if not isinstance(message, bytes | list | tuple):
        message = as_query(message)
    return check_authn_request(
        message, registry=registry or a_registry(provider), xml=XML, sso_url=sso_url, now=now
    )


def refused(
    expected: type[Refusal], check_name: str, request: Any = None, **arguments: Any
) -> Refusal:
    with pytest.raises(expected) as caught:
        check(request, **arguments)
    assert type(caught.value) is expected
    assert caught.value.check == check_name
    if not isinstance(caught.value, r.AnswerableRefusal):
        assert not caught.value.may_redirect
    return caught.value


def a_policy(**attributes: str) -> Element:
    return build_element(samlp("NameIDPolicy"), attributes)
