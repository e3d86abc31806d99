"""The README's table of metrics is what the code has."""

from tests.quality.metrics_told import metrics_in_code
from tests.quality.readme import code_of, table

TELLS_A_PARTY = {"school", "supplier", "idp", "relying_party", "login", "reference", "pid"}


def test_every_metric_is_told_and_no_other() -> None:
    told = {
        code_of(name)[0]: (kind, tuple(code_of(labels)))
        for name, (kind, labels, _) in table("Metric").items()
    }
    assert told == metrics_in_code()


def test_no_label_names_a_party() -> None:
    for name, (_, labels) in metrics_in_code().items():
        assert name.startswith("schuilnaam_")
        assert not set(labels) & TELLS_A_PARTY, name
