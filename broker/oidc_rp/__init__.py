"""We are the relying party of a school's OpenID Provider: messages in, messages out. Pure.

    request    send the pupil to the school, ask its token endpoint
    callback   the school's answer through the browser
    id_token   one numbered procedure from token response to `VerifiedIdToken`
    userinfo   the userinfo answer, bound to the ID token
    login      from claims to `broker.domain.identity.VerifiedLogin`
    refusals   what is refused, and whose task it is

Specifications: OpenID Connect Core 1.0 (errata 2) 3.1.3.7 and 5.3, RFC 6749, 7636, 7523, 9207,
9700. Issuer, keys, algorithms and endpoints are those registered; an answer widens nothing.
"""
