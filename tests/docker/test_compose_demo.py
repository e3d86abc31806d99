"""The demo laid over the service: everybody behind nginx by name, as the addresses in it say."""

import re
import shutil
from pathlib import Path

from broker.demo.addresses import DEMO_PORTS, Party, addresses_beside
from tests.docker.nginx import FILES, Nginx
from tests.docker.test_compose import BROKERS, DOCKER, composed
from tests.journeys.certificates import make_certificate

SERVICES = composed("compose.yaml", "compose.demo.yaml")["services"]
DEMO_SITE = FILES / "demo"
ISSUER = "https://login.schuilnaam.localhost:8443"
NAMES = {
    party: address.removeprefix("https://").removesuffix(":8443")
    for party, address in addresses_beside(ISSUER).items()
}


def test_the_parties_are_as_confined_as_the_rest() -> None:
    demo = SERVICES["demo"]
    for setting in ("read_only", "cap_drop", "security_opt", "ulimits"):
        assert demo[setting] == SERVICES["broker-1"][setting]
    assert set(demo["networks"]) == {"inside"}
    assert "ports" not in demo
    assert demo["command"][demo["command"].index("--issuer") + 1] == ISSUER


def test_brokers_and_parties_work_on_one_folder() -> None:
    folder = SERVICES["demo"]["command"][2]
    for each in BROKERS:
        assert SERVICES[each]["command"] == ["serve", "--config", folder]
        assert "demo-data:/srv/schuilnaam/data:rw" in SERVICES[each]["volumes"]
        assert SERVICES[each]["depends_on"]["demo"] == {"condition": "service_healthy"}


def test_nginx_is_found_by_every_name() -> None:
    assert set(SERVICES["proxy"]["networks"]["inside"]["aliases"]) == set(NAMES.values())


def test_nginx_leads_to_every_party() -> None:
    text = (DEMO_SITE / "more-parties.conf").read_text()
    told = dict(re.findall(r"^    (\S+\.localhost) (\d+);$", text, re.M))
    assert told == {
        NAMES[party]: str(port) for party, port in DEMO_PORTS.items() if party is not Party.BROKER
    }
    address = SERVICES["demo"]["networks"]["inside"]["ipv4_address"]
    assert f"http://{address}:$party_port" in text


def test_the_demos_files_are_in_order(tmp_path: Path) -> None:
    """As far as a machine goes that does not listen there: names, paths and brackets."""
    certificate = make_certificate(tmp_path, hosts=list(NAMES.values()))
    conf = tmp_path / "conf"
    shutil.copytree(FILES, conf)
    shutil.rmtree(conf / "site")
    shutil.copytree(DEMO_SITE, conf / "site")
    nginx = Nginx(tmp_path)
    for each in (conf / "site").iterdir():
        text = each.read_text().replace(
            "/run/secrets/tls.pem", str(certificate.files.certificate_file)
        )
        text = text.replace("/run/secrets/tls.key", str(certificate.files.key_file))
        text = text.replace("listen 8080", f"listen 127.0.0.1:{nginx.http_port}")
        each.write_text(text.replace("listen 8443", f"listen 127.0.0.1:{nginx.https_port}"))
    assert "warn" not in nginx.check()


def test_the_demos_place_has_the_files_of_any_place() -> None:
    of_any = {each.name for each in (FILES / "site").iterdir()}
    assert {each.name for each in DEMO_SITE.iterdir()} == of_any | {"more-parties.conf"}
    assert (DOCKER / "compose.demo.yaml").exists()
