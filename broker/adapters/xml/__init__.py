"""XML for SAML: parsed strictly, checked by schema, signed, verified and decrypted."""
