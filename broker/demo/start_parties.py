"""Who takes part in the demo, as its start page tells it."""

from broker.demo.addresses import Party
from broker.demo.start_scenarios import Text

_STAFF = Text("login van wie daar werkt", "login of who works there")

PARTIES: tuple[tuple[Party, str, Text], ...] = (
    (Party.REKENRIJK, "RekenRijk", Text("rekenen (OpenID Connect)", "maths (OpenID Connect)")),
    (Party.TAALTUIN, "Taaltuin", Text("taal (SAML)", "language (SAML)")),
    (Party.BIOSFEER_OIDC, "Biosfeer", Text("natuur (OpenID Connect)", "nature (OpenID Connect)")),
    (Party.BIOSFEER_SAML, "Biosfeer (SAML)", Text("hetzelfde, via SAML", "the same, by SAML")),
    (Party.VUURVOGEL, "De Vuurvogel", Text("basisschool (SAML)", "primary school (SAML)")),
    (Party.REGENBOOG, "De Regenboog", Text("basisschool (SAML)", "primary school (SAML)")),
    (
        Party.LEERPLEIN,
        "Het Leerplein",
        Text(
            "nieuwe inlog van De Vuurvogel, als die overstapt (OpenID Connect)",
            "new login of De Vuurvogel, once it switches (OpenID Connect)",
        ),
    ),
    (
        Party.KOMPAS,
        "Het Kompas",
        Text("middelbare school (OpenID Connect)", "secondary school (OpenID Connect)"),
    ),
    (
        Party.REKENRIJK_STAFF,
        "RekenRijk, medewerkers",
        Text(
            "login van wie daar werkt (OpenID Connect)", "login of who works there (OpenID Connect)"
        ),
    ),
    (
        Party.FEDERATION_STAFF,
        "De federatie, medewerkers",
        Text(
            "login van wie daar werkt (OpenID Connect)", "login of who works there (OpenID Connect)"
        ),
    ),
    (Party.BROKER, "Schuilnaam", Text("brengt ze bij elkaar", "brings them together")),
)
