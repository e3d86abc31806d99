"""Mutations of honest SAML messages: whatever is changed is refused, or says the same as before."""
