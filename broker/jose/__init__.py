"""Signed tokens (RFC 7515, 7517, 7518, 7519) for both OpenID Connect packages. Pure.

What `saml_xml` is to the SAML packages: one place that signs and verifies, so that the allow-list,
the refused headers and the caps on size and keys are the same for suppliers' and schools' tokens.
The signatures themselves are joserfc's.
"""
