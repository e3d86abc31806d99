"""We are the OpenID Provider of suppliers: messages in, messages out. Pure.

    request      GET or POST /oidc/authorize: parse, check by one table
                 request_objects: signed; pushed: what stands elsewhere
    response     what goes back to the redirect URI, and errors as JSON
    client_auth  who calls an endpoint for machines; client_* the ways to prove it
    token        the code is redeemed
    claims       what the ID token and userinfo say
    userinfo     bearer tokens
    discovery    metadata and public keys

Specifications: OpenID Connect Core 1.0 (errata 2), Discovery 1.0, RFC 6749, 6750, 7636, 7523 as
revised, 8707, 9101, 9126, 9207, 9700. Time, randomness and ids are arguments; keys are objects
handed in.
"""
