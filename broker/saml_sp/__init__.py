"""We are the SAML service provider of the schools: requests to them, their answers, metadata."""
