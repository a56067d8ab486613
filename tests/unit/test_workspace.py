"""The workspace folder: its places, its billing.toml, and the templates of `billing init`."""

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import polars as pl
import pytest

from billing_pipeline.errors import ConfigurationInvalid
from billing_pipeline.schemas.reference import REFERENCE_FILES
from resources.reference_files import load_reference
from resources.workspace import Workspace
from resources.workspace_templates import init_workspace

ORGANISATION = """
[organisation]
id = "acme"
name = "Acme Resale Ltd"
time_zone = "Europe/Athens"
currency = "EUR"
country = "GR"
charges_start_on = 2020-01-01
standard_edition_since = 2020-01-01
"""
SOURCE = '\n[[sources]]\nid = "aws"\nformat = "aws_cur"\nvendor = "AWS"\n'


def workspace(tmp_path: Path, toml: str) -> Workspace:
    (tmp_path / "billing.toml").write_text(toml, encoding="utf-8")
    return Workspace.at(tmp_path)


def complaint(tmp_path: Path, toml: str) -> str:
    with pytest.raises(ConfigurationInvalid) as refused:
        workspace(tmp_path, toml).load_config()
    return str(refused.value).removeprefix(f"{tmp_path / 'billing.toml'}")


def test_the_places_are_those_of_the_interface(tmp_path: Path) -> None:
    place = workspace(tmp_path, ORGANISATION + SOURCE)
    assert place.landing(place.load_config().source("aws")) == tmp_path / "landing" / "aws"
    assert [path.relative_to(tmp_path).as_posix() for path in (place.reference, place.archive, place.lake)] == [
        "reference",
        "archive",
        "lake",
    ]
    assert place.warehouse == tmp_path / "warehouse.duckdb"
    assert place.exports == tmp_path / "exports"


def test_the_home_comes_from_the_environment_else_it_is_data_in_the_current_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("BILLING_HOME", raising=False)
    assert Workspace.from_environment().home == tmp_path / "data"
    monkeypatch.setenv("BILLING_HOME", "elsewhere")
    assert Workspace.from_environment().home == tmp_path / "elsewhere"


def test_a_missing_file_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationInvalid, match=r"does not exist; make a workspace with `billing init "):
        Workspace.at(tmp_path).load_config()


@pytest.mark.parametrize(
    ("toml", "expected"),
    [
        (ORGANISATION + 'colour = "red"\n', ", key organisation.colour: is unknown"),
        (ORGANISATION + "\n[post]\n", ", key post: is unknown"),
        (ORGANISATION.replace('name = "Acme Resale Ltd"\n', ""), ", key organisation.name: is missing"),
        (
            ORGANISATION.replace("Europe/Athens", "Athens"),
            ", key organisation.time_zone, value 'Athens': 'Athens' is no IANA time zone",
        ),
        (ORGANISATION + SOURCE + SOURCE, ": source id used twice: aws"),
        (ORGANISATION + SOURCE.replace("aws_cur", "aws"), ", key sources[0].format, value 'aws': "),
        (ORGANISATION + SOURCE + "tolerance = nan\n", ", key sources[0].tolerance, "),
        (ORGANISATION + "name = 'again'\n", ": Cannot overwrite a value"),
    ],
)
def test_what_is_wrong_is_named_by_file_and_key(tmp_path: Path, toml: str, expected: str) -> None:
    assert complaint(tmp_path, toml).startswith(expected)


def test_an_unknown_currency_is_refused_like_any_other_value(tmp_path: Path) -> None:
    assert "EURO" in complaint(tmp_path, ORGANISATION.replace('"EUR"', '"EURO"'))


def test_a_number_with_a_point_never_becomes_floating_point(tmp_path: Path) -> None:
    config = workspace(tmp_path, ORGANISATION + SOURCE + "tolerance = 0.1\n").load_config()
    assert config.source("aws").tolerance == Decimal("0.1")


def test_init_writes_a_workspace_that_loads_and_prices_nothing(tmp_path: Path) -> None:
    home = tmp_path / "new" / "workspace"
    written = init_workspace(home)
    assert [path.name for path in written] == ["billing.toml", *(f"{file.name}.csv" for file in REFERENCE_FILES)]
    config = Workspace.at(home).load_config()
    assert config.sources == ()
    assert (home / "landing").is_dir()
    for name, frame in load_reference(home, config.organisation.zone).frames().items():
        assert frame.height == 1, name
        if "valid_to" in frame.columns:
            assert frame.filter(pl.col("valid_to") > datetime(2000, 12, 31, tzinfo=UTC).date()).is_empty(), name


def test_the_example_rows_may_stay_when_sources_are_added(tmp_path: Path) -> None:
    init_workspace(tmp_path)
    config = workspace(tmp_path, ORGANISATION + SOURCE).load_config()
    assert load_reference(tmp_path, config.organisation.zone).accounts["source"].to_list() == ["example-source"]


def test_every_key_that_the_template_shows_in_a_comment_is_a_valid_one(tmp_path: Path) -> None:
    init_workspace(tmp_path)
    lines = Workspace.at(tmp_path).config_file.read_text(encoding="utf-8").splitlines()
    shown = [
        line.removeprefix("# ") for line in lines if line.startswith(("# [", "# ")) and ("=" in line or "[" in line)
    ]
    keys = [line for line in shown if line.startswith("[") or line.split(" = ")[0].replace("_", "").isalpha()]
    live = [line for line in lines if line and not line.startswith("#")]
    config = workspace(tmp_path, "\n".join([*live, *keys])).load_config()
    assert [source.format for source in config.sources] == ["aws_cur", "focus", "distributor_invoice"]
    assert config.organisation.payment_terms_days == 30


def test_init_refuses_a_folder_that_holds_a_workspace_and_writes_nothing(tmp_path: Path) -> None:
    workspace(tmp_path, ORGANISATION)
    with pytest.raises(ConfigurationInvalid, match=r"billing\.toml exists already"):
        init_workspace(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["billing.toml"]


def test_the_zone_of_the_organisation_is_the_one_of_its_days(tmp_path: Path) -> None:
    assert workspace(tmp_path, ORGANISATION).load_config().organisation.zone == ZoneInfo("Europe/Athens")
