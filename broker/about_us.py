"""What the settings say of us, as our SAML metadata tells it."""

from broker.saml_xml.own_metadata import AboutUs, OwnLogo
from broker.settings import Settings


def about_us_of(settings: Settings) -> AboutUs:
    """Return what our metadata tells people of us; what is not stated is left out."""
    stated = settings.about
    return AboutUs(
        names=_stated(nl=stated.name_nl or settings.name, en=stated.name_en or settings.name),
        descriptions=_stated(nl=stated.description_nl, en=stated.description_en),
        information_urls=_stated(nl=stated.information_url_nl, en=stated.information_url_en),
        privacy_urls=_stated(nl=stated.privacy_url_nl, en=stated.privacy_url_en),
        logo=None
        if stated.logo is None
        else OwnLogo(
            url=stated.logo, width_pixels=stated.logo_width, height_pixels=stated.logo_height
        ),
        organization=None
        if stated.organization is None or stated.organization_url is None
        else (stated.organization, stated.organization_url),
        technical_mail=stated.technical_mail,
        support_mail=stated.support_mail,
        security_mail=stated.security_mail,
        error_url=stated.error_url,
        scope=settings.pairwise_scope_in_force,
    )


def _stated(**texts: str | None) -> dict[str, str]:
    return {language: text for language, text in texts.items() if text is not None}
