"""What a browser and an administrator do at the SimpleSAMLphp school of the guide."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urljoin

from lxml import html

from broker.demo.addresses import Party
from tests.journeys.visitor import Visitor


async def log_in_at_simplesamlphp(visitor: Visitor) -> None:
    """Fill in the form of its example source."""
    (form,) = [
        each for each in html.fromstring(visitor.page.content).forms if "username" in each.fields
    ]
    form.fields.update(username="fatima", password="only-for-the-demo")
    url = urljoin(str(visitor.page.url), form.get("action", ""))
    visitor.page = await visitor.client.post(url, data=dict(form.form_values()))
    await visitor.pass_on()
    await visitor.go_on()


def seal_by_cbc(folder: Path) -> None:
    """Have it encrypt, by AES-CBC as it does, and register that with an end."""
    hosted, document = folder / "metadata/saml20-idp-hosted.php", folder / "school.toml"
    edit(hosted, "'assertion.encryption' => false", "'assertion.encryption' => true")
    scopes = 'scopes = ["vlieger.example"]\n'
    day = (datetime.now(UTC) + timedelta(days=30)).date()
    words = f'name = "aes-cbc"\nuntil = {day}\nreason = "It knows nothing else."\n'
    edit(document, scopes, f"{scopes}[[identity_provider.exception]]\n{words}")


def edit(file: Path, before: str, after: str) -> None:
    """Replace what stands in a file once."""
    text = file.read_text()
    assert text.count(before) == 1
    file.write_text(text.replace(before, after))


async def choose_vlieger(visitor: Visitor) -> None:
    """Open RekenRijk and choose the school, once the broker knows it."""
    while True:
        await visitor.open_material(Party.REKENRIJK)
        if visitor.shows("school", "vlieger"):
            return await visitor.choose("vlieger")
