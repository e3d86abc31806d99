"""Countries of the European Economic Area: where personal data may go without a further ground."""

EEA_COUNTRIES = frozenset(
    (
        *("AT", "BE", "BG", "HR", "CY", "CZ", "DK", "EE", "FI", "FR", "DE", "GR", "HU", "IE"),
        *("IT", "LV", "LT", "LU", "MT", "NL", "PL", "PT", "RO", "SK", "SI", "ES", "SE"),
        *("IS", "LI", "NO"),
    )
)
"""ISO 3166-1 alpha-2; the 27 of the European Union, Iceland, Liechtenstein and Norway."""


def is_in_eea(country: str) -> bool:
    """Tell whether a country, by its ISO 3166-1 code, is in the European Economic Area.

    >>> is_in_eea("NL"), is_in_eea("US")
    (True, False)
    """
    return country in EEA_COUNTRIES
