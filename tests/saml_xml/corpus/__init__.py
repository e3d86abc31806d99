"""Honest and defective SAML messages, made at test time, and the oracles that judge them."""
