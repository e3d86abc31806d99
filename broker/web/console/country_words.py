"""Countries and languages by the words that people know them by."""

from collections.abc import Mapping
from types import MappingProxyType

from broker.domain.countries import EEA_COUNTRIES
from broker.web.texts import N_

COUNTRY_WORDS: Mapping[str, str] = MappingProxyType(
    {
        "AT": N_("Austria"),
        "AU": N_("Australia"),
        "BE": N_("Belgium"),
        "BG": N_("Bulgaria"),
        "CA": N_("Canada"),
        "CH": N_("Switzerland"),
        "CY": N_("Cyprus"),
        "CZ": N_("Czechia"),
        "DE": N_("Germany"),
        "DK": N_("Denmark"),
        "EE": N_("Estonia"),
        "ES": N_("Spain"),
        "FI": N_("Finland"),
        "FR": N_("France"),
        "GB": N_("United Kingdom"),
        "GR": N_("Greece"),
        "HR": N_("Croatia"),
        "HU": N_("Hungary"),
        "IE": N_("Ireland"),
        "IL": N_("Israel"),
        "IN": N_("India"),
        "IS": N_("Iceland"),
        "IT": N_("Italy"),
        "JP": N_("Japan"),
        "KR": N_("South Korea"),
        "LI": N_("Liechtenstein"),
        "LT": N_("Lithuania"),
        "LU": N_("Luxembourg"),
        "LV": N_("Latvia"),
        "MT": N_("Malta"),
        "NL": N_("the Netherlands"),
        "NO": N_("Norway"),
        "NZ": N_("New Zealand"),
        "PL": N_("Poland"),
        "PT": N_("Portugal"),
        "RO": N_("Romania"),
        "SE": N_("Sweden"),
        "SG": N_("Singapore"),
        "SI": N_("Slovenia"),
        "SK": N_("Slovakia"),
        "TR": N_("Türkiye"),
        "UA": N_("Ukraine"),
        "US": N_("United States"),
        "ZA": N_("South Africa"),
    }
)
"""Message ids by ISO 3166-1 code: the European Economic Area, and where suppliers' servers stand.
A document may state any other code; it is shown as it is."""

LANGUAGE_WORDS: Mapping[str, str] = MappingProxyType(
    {
        "nl": N_("Dutch"),
        "en": N_("English"),
        "fy": N_("Frisian"),
        "de": N_("German"),
        "fr": N_("French"),
        "es": N_("Spanish"),
        "ar": N_("Arabic"),
        "pl": N_("Polish"),
        "tr": N_("Turkish"),
        "uk": N_("Ukrainian"),
    }
)
"""Message ids by ISO 639-1 code."""


def name_country(code: str) -> str:
    """Return the message id of a country, or its code.

    >>> name_country("NL"), name_country("XX")
    ('the Netherlands', 'XX')
    """
    return COUNTRY_WORDS.get(code, code)


def country_choices(*, in_eea: bool) -> tuple[tuple[str, str], ...]:
    """Return code and message id of the countries inside or outside the area, by English name;
    the Netherlands first."""
    found = [each for each in COUNTRY_WORDS.items() if (each[0] in EEA_COUNTRIES) is in_eea]
    return tuple(sorted(found, key=lambda each: (each[0] != "NL", each[1].casefold())))
