"""How far another party's clock may be from ours."""

from datetime import timedelta

CLOCK_SKEW = timedelta(seconds=180)  # saml2int 2.0 SDP-G01: three to five minutes
"""The one allowance for all instants in SAML messages, schools' and suppliers'."""
