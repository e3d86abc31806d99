"""We are the OpenID Provider of suppliers: messages in, messages out. Pure.

    profiles              what each kind of relying party may do: one table of data
    clients               who a relying party says it is, looked up
    received              a request as it arrived; parameters: what breaks one
    request               GET or POST /oidc/authorize, checked by the two tables of request_checks;
                          asked_claims, redirect_uris, unguessable, id_token_hint: what those ask
    request_objects       a request that is signed; pushed: one that stands elsewhere
    response              what goes back to the redirect URI
    client_auth           who calls an endpoint for machines; client_*: the ways to prove it
    dpop                  a proof of possession; sender_keys, caller_proof, presented_tokens: the
                          key to which a token is bound, and a token as it is shown
    token                 a code is redeemed; refresh, client_credentials: the other grants
    grants                what a code and an access token stand for
    claims                what the ID token says; access_tokens, userinfo, userinfo_token: the rest
    token_status          introspection and revocation
    logout                a request to log out, and what relying parties are told
    discovery             metadata; jwks: public keys

Specifications: OpenID Connect Core 1.0 (errata 2), Discovery 1.0, RP-Initiated, Back-Channel and
Front-Channel Logout 1.0; RFC 6749, 6750, 7009, 7523 as revised, 7636, 7662, 8252, 8705, 8707, 9068,
9101, 9126, 9207, 9449, 9700. Time, randomness and ids are arguments; keys are objects handed in.
"""
