"""Single logout (SAML core 3.7, profiles 4.4): messages, the same towards schools and suppliers."""
