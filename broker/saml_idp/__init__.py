"""We are the SAML identity provider of the suppliers: their requests, our answers, metadata."""
