"""The reference folder: which set of files is in force, now and at a past instant."""

import json
import os
import stat
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import polars as pl
import pytest

from billing_pipeline.errors import ConfigurationInvalid, ReferenceInvalid
from billing_pipeline.reference import ReferenceSet
from resources.reference_files import config_as_of, load_reference, load_whatif_reference, reference_frames
from resources.reference_journal import ArchiveDamaged, ReferenceJournal
from tests.workspaces import BILLING_TOML

ATHENS = ZoneInfo("Europe/Athens")
CUSTOMERS = "customer_id,name,invoice_currency\nk1,Acme,EUR\n"
BETA = CUSTOMERS + "k2,Beta,EUR\n"
RULES = "rule_id,scope,scope_id,method,percent,valid_from,recorded_at\n"


def instant(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def clock(text: str) -> Callable[[], datetime]:
    return lambda: instant(text)


def write(home: Path, name: str, text: str, modified_at: str) -> Path:
    path = home / "reference" / f"{name}.csv"
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8")
    os.utime(path, (instant(modified_at).timestamp(),) * 2)
    return path


def take(home: Path, at: str = "2026-12-24 12:00") -> ReferenceSet:
    return load_reference(home, ATHENS, now=clock(at))


def recorded(reference: ReferenceSet) -> dict[str, datetime]:
    return dict(zip(reference.customers["customer_id"], reference.customers["recorded_at"], strict=True))


def known(reference: ReferenceSet, *columns: str, name: str = "customers") -> list[tuple[object, ...]]:
    return reference.known[name].select(*columns).rows()


def journal(home: Path) -> list[tuple[str, str | None, datetime]]:
    return [(one.file, one.sha256 and one.sha256[:4], one.arrived_at) for one in ReferenceJournal(home).taken()]


def test_the_first_set_is_known_from_the_start_of_the_local_day_on_which_it_arrived(tmp_path: Path) -> None:
    # 22:30 UTC on the 4th is the 5th in Athens.
    write(tmp_path, "customers", CUSTOMERS, "2026-10-04 22:30")
    assert recorded(take(tmp_path)) == {"k1": instant("2026-10-04 21:00")}


def test_later_versions_are_known_from_their_own_instant_on_so_that_no_price_of_the_day_changes(tmp_path: Path) -> None:
    write(tmp_path, "customers", CUSTOMERS, "2026-10-05 12:00")
    take(tmp_path)
    write(tmp_path, "customers", BETA, "2026-11-01 12:00")
    assert recorded(take(tmp_path)) == {"k1": instant("2026-10-04 21:00"), "k2": instant("2026-11-01 12:00")}
    # Also a file that was not there before: its terms may be stronger than those that priced in the morning.
    write(tmp_path, "products", "product_id,name,product_type\np,P,T\n", "2026-11-02 12:00")
    assert take(tmp_path).products["recorded_at"].to_list() == [instant("2026-11-02 12:00")]


def test_a_new_column_or_another_order_of_columns_and_rows_does_not_make_old_rows_new(tmp_path: Path) -> None:
    write(tmp_path, "customers", BETA, "2026-10-05 12:00")
    before = take(tmp_path)
    text = "name,email,invoice_currency,customer_id\nBeta,,EUR,k2\nAcme,,EUR,k1\n"
    write(tmp_path, "customers", text, "2026-11-01 12:00")
    after = take(tmp_path)
    assert recorded(after) == {"k1": instant("2026-10-04 21:00"), "k2": instant("2026-10-04 21:00")}
    assert after.known["customers"].equals(before.known["customers"])


def test_a_changed_row_is_a_new_row_and_the_old_one_is_withdrawn(tmp_path: Path) -> None:
    write(tmp_path, "customers", CUSTOMERS, "2026-10-05 12:00")
    take(tmp_path)
    write(tmp_path, "customers", CUSTOMERS.replace("EUR", "USD"), "2026-11-02 12:00")
    changed = take(tmp_path)
    assert recorded(changed) == {"k1": instant("2026-11-02 12:00")}
    assert known(changed, "invoice_currency", "recorded_at", "withdrawn_at") == [
        ("EUR", instant("2026-10-04 21:00"), instant("2026-11-02 12:00")),
        ("USD", instant("2026-11-02 12:00"), None),
    ]


def test_a_row_knows_the_version_and_the_place_it_was_read_from(tmp_path: Path) -> None:
    write(tmp_path, "customers", CUSTOMERS, "2026-10-05 12:00")
    take(tmp_path)
    write(tmp_path, "customers", "customer_id,name,invoice_currency\nk2,Beta,EUR\nk1,Acme,EUR\n", "2026-10-06 12:00")
    reference = take(tmp_path)
    first, second = (one.sha256 for one in ReferenceJournal(tmp_path).taken())
    assert known(reference, "customer_id", "source_row", "source_sha256") == [("k1", 1, first), ("k2", 1, second)]
    assert reference.customers.select("customer_id", "source_row").rows() == [("k2", 1), ("k1", 2)]


def test_a_version_that_comes_back_is_a_third_entry_and_a_second_stretch(tmp_path: Path) -> None:
    write(tmp_path, "customers", BETA, "2026-10-05 12:00")
    take(tmp_path, "2026-10-05 13:00")
    write(tmp_path, "customers", CUSTOMERS, "2026-10-06 12:00")
    take(tmp_path, "2026-10-06 13:00")
    # A copy of the first file, with its time: it changed after the second was taken, whatever its time says.
    write(tmp_path, "customers", BETA, "2026-10-05 12:00")
    reference = take(tmp_path, "2026-10-07 13:00")
    assert [arrived_at for _, _, arrived_at in journal(tmp_path)] == [
        instant("2026-10-05 12:00"),
        instant("2026-10-06 12:00"),
        instant("2026-10-07 13:00"),
    ]
    assert known(reference, "customer_id", "recorded_at", "withdrawn_at") == [
        ("k1", instant("2026-10-04 21:00"), None),
        ("k2", instant("2026-10-04 21:00"), instant("2026-10-06 12:00")),
        ("k2", instant("2026-10-07 13:00"), None),
    ]
    assert len(list((tmp_path / "archive" / "reference" / "customers").iterdir())) == 2


def test_a_file_that_is_taken_away_withdraws_its_rows_and_says_so_in_the_journal(tmp_path: Path) -> None:
    path = write(tmp_path, "customers", CUSTOMERS, "2026-10-05 12:00")
    take(tmp_path)
    path.unlink()
    gone = take(tmp_path, "2026-12-25 12:00")
    assert gone.customers.is_empty()
    assert known(gone, "customer_id", "withdrawn_at") == [("k1", instant("2026-12-25 12:00"))]
    assert journal(tmp_path)[1:] == [("reference/customers.csv", None, instant("2026-12-25 12:00"))]


def test_a_row_with_its_own_recorded_at_keeps_it_and_was_never_known_when_withdrawn_before(tmp_path: Path) -> None:
    early = "r1,product,p1,srp,,2026-01-01,2026-01-01T00:00:00Z\n"
    late = "r2,product,p2,srp,,2026-01-01,2026-12-31T00:00:00Z\n"
    write(tmp_path, "pricing_rules", RULES + early + late, "2026-10-05 12:00")
    take(tmp_path)
    write(tmp_path, "pricing_rules", RULES + early.replace("p1", "p3"), "2026-10-06 12:00")
    assert known(take(tmp_path), "rule_id", "scope_id", "recorded_at", "withdrawn_at", name="pricing_rules") == [
        ("r1", "p1", instant("2026-01-01 00:00"), instant("2026-10-06 12:00")),
        ("r1", "p3", instant("2026-01-01 00:00"), None),
    ]


def test_files_without_times_of_their_own_have_a_history_too(tmp_path: Path) -> None:
    write(
        tmp_path,
        "exchange_rates",
        "base_currency,quote_currency,rate,rate_date\nUSD,EUR,0.9,2026-10-01\n",
        "2026-10-02 09:00",
    )
    take(tmp_path)
    write(
        tmp_path,
        "exchange_rates",
        "base_currency,quote_currency,rate,rate_date\nUSD,EUR,0.8,2026-10-01\n",
        "2026-10-03 09:00",
    )
    history = known(take(tmp_path), "rate", "recorded_at", "withdrawn_at", name="exchange_rates")
    assert [(str(rate.normalize()), withdrawn) for rate, _, withdrawn in history] == [  # type: ignore[attr-defined]
        ("0.9", instant("2026-10-03 09:00")),
        ("0.8", None),
    ]


def test_the_same_bytes_touched_again_are_one_read_only_version_with_the_first_day(tmp_path: Path) -> None:
    write(tmp_path, "customers", CUSTOMERS, "2026-10-05 12:00")
    take(tmp_path)
    write(tmp_path, "customers", CUSTOMERS, "2026-12-01 12:00")
    assert recorded(take(tmp_path)) == {"k1": instant("2026-10-04 21:00")}
    [path] = (tmp_path / "archive" / "reference" / "customers").iterdir()
    assert stat.S_IMODE(path.stat().st_mode) == 0o444
    assert path.read_text() == CUSTOMERS
    assert len(journal(tmp_path)) == 1


def test_a_set_with_an_error_is_refused_whole_and_the_last_good_one_stays_in_force(tmp_path: Path) -> None:
    write(tmp_path, "customers", CUSTOMERS, "2026-10-05 12:00")
    good = take(tmp_path, "2026-10-05 13:00")
    write(tmp_path, "customers", BETA, "2026-10-06 12:00")
    bad = write(
        tmp_path, "accounts", "source,account_id,customer_id,valid_from\naws,1,k9,2026-01-01\n", "2026-10-06 12:00"
    )
    kept = take(tmp_path, "2026-10-06 13:00")
    problem = "reference/accounts.csv, row 1, column customer_id, value k9: is not in reference/customers.csv"
    assert kept.refused == (problem,)
    assert kept.taken_at == good.taken_at == instant("2026-10-05 13:00")
    assert all(kept.frames()[name].equals(frame) for name, frame in good.frames().items())
    assert all(kept.known[name].equals(frame) for name, frame in good.known.items())
    # Its bytes are archived, the journal does not name them.
    assert len(journal(tmp_path)) == 1
    assert len(list((tmp_path / "archive" / "reference" / "customers").iterdir())) == 2
    bad.unlink()
    mended = take(tmp_path, "2026-10-07 13:00")
    assert (mended.refused, mended.taken_at) == ((), instant("2026-10-07 13:00"))
    assert recorded(mended)["k2"] == instant("2026-10-06 12:00")


def test_a_refused_version_is_no_part_of_the_history(tmp_path: Path) -> None:
    write(tmp_path, "customers", CUSTOMERS, "2026-10-05 12:00")
    take(tmp_path)
    write(tmp_path, "customers", 'customer_id,name,invoice_currency\nk1,A"cme,EUR\n', "2026-10-06 12:00")
    assert take(tmp_path).refused
    write(tmp_path, "customers", CUSTOMERS, "2026-10-07 12:00")
    mended = take(tmp_path)
    assert not mended.refused
    assert known(mended, "customer_id", "withdrawn_at") == [("k1", None)]


def test_without_any_good_set_the_problems_are_raised(tmp_path: Path) -> None:
    write(tmp_path, "customers", 'customer_id,name,invoice_currency\nk1,A"cme,EUR\n', "2026-10-01 12:00")
    with pytest.raises(ReferenceInvalid, match="a quote inside a cell must be doubled"):
        take(tmp_path)
    write(tmp_path, "customers", CUSTOMERS, "2026-10-05 12:00")
    assert recorded(take(tmp_path)) == {"k1": instant("2026-10-04 21:00")}


def test_a_file_that_is_no_reference_file_refuses_the_set_and_names_the_known_ones(tmp_path: Path) -> None:
    write(tmp_path, "customers", CUSTOMERS, "2026-10-05 12:00")
    take(tmp_path)
    write(tmp_path, "prices", CUSTOMERS, "2026-10-05 12:00")
    [problem] = take(tmp_path).refused
    assert problem.startswith("reference/prices.csv: is unknown; the files are customers, accounts")


def test_without_a_reference_folder_the_set_is_empty(tmp_path: Path) -> None:
    names = dict(reference_frames(take(tmp_path)))
    assert len(names) == 2 * 14
    assert all(name.startswith(("reference_", "known_")) and frame.height == 0 for name, frame in names.items())
    assert names["known_products"].schema["withdrawn_at"] == pl.Datetime("us", "UTC")


def test_a_source_that_billing_toml_lost_refuses_the_set_with_a_way_out(tmp_path: Path) -> None:
    (tmp_path / "billing.toml").write_text(BILLING_TOML)
    write(tmp_path, "customers", CUSTOMERS, "2026-10-05 12:00")
    rows = "".join(f"aws,{number},k1,2026-01-01\n" for number in range(5))
    write(tmp_path, "accounts", "source,account_id,customer_id,valid_from\n" + rows, "2026-10-05 12:00")
    take(tmp_path)
    (tmp_path / "billing.toml").write_text(BILLING_TOML.replace('id = "aws"', 'id = "amazon"'))
    assert take(tmp_path).refused == (
        "reference/accounts.csv, rows 1, 2, 3 and 2 more, column source, value aws: is no source; billing.toml has"
        " amazon, cloud, dist: name one of them, or bring the source back into billing.toml, or end the row with a"
        " valid_to that is over",
    )
    assert take(tmp_path).accounts.height == 5


# As of a past instant.


def test_the_set_in_force_at_a_past_instant_is_the_one_taken_by_then(tmp_path: Path) -> None:
    write(tmp_path, "customers", CUSTOMERS, "2026-10-05 12:00")
    then = take(tmp_path, "2026-10-05 13:00")
    write(tmp_path, "customers", "customer_id,name,invoice_currency\nk2,Beta,EUR\n", "2026-10-05 12:30")
    take(tmp_path, "2026-10-06 13:00")
    past = load_reference(tmp_path, ATHENS, instant("2026-10-06 12:59"))
    assert past.notices == ()
    assert past.taken_at == then.taken_at
    assert past.customers.equals(then.customers)
    assert past.known["customers"].equals(then.known["customers"])
    now = load_reference(tmp_path, ATHENS, instant("2026-10-06 13:00"))
    assert known(now, "customer_id", "withdrawn_at") == [("k1", instant("2026-10-05 12:30")), ("k2", None)]


def test_before_anything_was_taken_what_had_arrived_by_its_time_was_known(tmp_path: Path) -> None:
    write(tmp_path, "customers", CUSTOMERS, "2026-10-05 12:00")
    take(tmp_path, "2026-12-01 10:00")
    write(tmp_path, "customers", BETA, "2026-11-05 12:00")
    write(tmp_path, "products", "product_id,name,product_type\np,P,T\n", "2026-09-01 12:00")
    take(tmp_path, "2026-12-02 10:00")
    october, november = (load_reference(tmp_path, ATHENS, instant(f"2026-{month}-06 00:00")) for month in (10, 11))
    assert (list(recorded(october)), list(recorded(november))) == (["k1"], ["k1", "k2"])
    assert october.products.height == 1
    assert (october.notices, november.notices) == ((), ())


def test_before_anything_had_arrived_the_first_version_is_used_and_said(tmp_path: Path) -> None:
    write(tmp_path, "customers", CUSTOMERS, "2026-10-05 12:00")
    take(tmp_path, "2026-12-01 10:00")
    write(tmp_path, "products", "product_id,name,product_type\np,P,T\n", "2026-11-01 12:00")
    write(tmp_path, "customers", BETA, "2026-11-05 12:00")
    take(tmp_path, "2026-12-02 10:00")
    past = load_reference(tmp_path, ATHENS, instant("2026-09-01 00:00"))
    assert list(recorded(past)) == ["k1"]
    # It came with a later set: there was no such file.
    assert past.products.is_empty()
    assert past.notices == (
        "by 2026-09-01T00:00:00+00:00 nothing had arrived of reference/customers.csv: the first version of each is"
        " used",
    )


def test_a_row_that_says_it_became_known_later_was_not_known(tmp_path: Path) -> None:
    rows = "r1,product,p1,srp,,2026-01-01,2026-02-01T00:00:00Z\nr2,product,p2,srp,,2026-01-01,2026-11-01T00:00:00Z\n"
    write(tmp_path, "pricing_rules", RULES + rows, "2026-10-05 12:00")
    assert take(tmp_path, "2026-10-05 13:00").pricing_rules.height == 2
    past = load_reference(tmp_path, ATHENS, instant("2026-10-31 00:00"))
    assert past.pricing_rules["rule_id"].to_list() == ["r1"]
    assert known(past, "rule_id", name="pricing_rules") == [("r1",)]


def test_a_withdrawal_that_lies_ahead_has_not_happened(tmp_path: Path) -> None:
    write(tmp_path, "customers", BETA, "2026-10-05 12:00")
    take(tmp_path, "2026-10-05 13:00")
    write(tmp_path, "customers", CUSTOMERS, "2026-10-09 12:00")
    take(tmp_path, "2026-10-06 13:00")
    past = load_reference(tmp_path, ATHENS, instant("2026-10-07 00:00"))
    assert known(past, "customer_id", "withdrawn_at") == [("k1", None), ("k2", None)]


def test_looking_back_takes_nothing_into_use(tmp_path: Path) -> None:
    write(tmp_path, "customers", CUSTOMERS, "2026-10-05 12:00")
    assert load_reference(tmp_path, ATHENS, instant("2026-10-06 00:00")).customers.is_empty()
    assert not (tmp_path / "archive").exists()


def test_what_billing_toml_said_is_known_for_every_past_instant(tmp_path: Path) -> None:
    write(tmp_path, "customers", CUSTOMERS, "2026-10-05 12:00")
    config = tmp_path / "billing.toml"
    for name, at in (("First", "2026-10-05 13:00"), ("Second", "2026-10-06 13:00")):
        config.write_text(BILLING_TOML.replace("Contoso Cloud Ltd", name))
        os.utime(config, (instant(at).timestamp(),) * 2)
        take(tmp_path, at)
    names = [config_as_of(tmp_path, instant(f"2026-10-{day} 14:00")).organisation.name for day in ("04", "05", "06")]
    assert names == ["First", "First", "Second"]


def test_billing_toml_is_in_force_also_beside_a_refused_set(tmp_path: Path) -> None:
    (tmp_path / "billing.toml").write_text(BILLING_TOML)
    write(tmp_path, "customers", "customer_id\n", "2026-10-05 12:00")
    with pytest.raises(ReferenceInvalid):
        take(tmp_path, "2026-10-05 13:00")
    assert config_as_of(tmp_path, instant("2026-10-05 13:00")).organisation.id == "contoso"
    with pytest.raises(ConfigurationInvalid, match="was ever taken into use"):
        config_as_of(tmp_path / "elsewhere", instant("2026-10-05 13:00"))


# Under other terms.


def test_a_what_if_replaces_whole_files_as_if_they_had_always_been_known(tmp_path: Path) -> None:
    write(tmp_path, "customers", CUSTOMERS, "2026-10-05 12:00")
    write(tmp_path, "pricing_rules", RULES + "r1,product,p,srp,,2026-01-01,\n", "2026-10-05 12:00")
    take(tmp_path)
    before = sorted(path for path in tmp_path.rglob("*") if path.is_file())
    terms = tmp_path.with_name("terms")
    terms.mkdir()
    (terms / "pricing_rules.csv").write_text(
        RULES + "r1,product,p,markup,10,2026-01-01,\nr2,product,q,srp,,2026-01-01,2026-03-01T00:00:00Z\n"
    )
    reference = load_whatif_reference(tmp_path, ATHENS, terms)
    assert reference.customers.height == 1
    assert known(reference, "rule_id", "method", "recorded_at", "withdrawn_at", name="pricing_rules") == [
        ("r1", "markup", instant("1970-01-01 00:00"), None),
        ("r2", "srp", instant("2026-03-01 00:00"), None),
    ]
    assert sorted(path for path in tmp_path.rglob("*") if path.is_file()) == before
    assert load_reference(tmp_path, ATHENS).pricing_rules["method"].to_list() == ["srp"]


def test_a_what_if_works_in_a_workspace_that_never_ran(tmp_path: Path) -> None:
    write(tmp_path, "customers", CUSTOMERS, "2026-10-05 12:00")
    terms = tmp_path / "terms"
    terms.mkdir()
    (terms / "pricing_rules.csv").write_text(RULES + "r1,product,p,srp,,2026-01-01,\n")
    assert recorded(load_whatif_reference(tmp_path, ATHENS, terms)) == {"k1": instant("2026-10-04 21:00")}
    assert not (tmp_path / "archive").exists()


def test_a_what_if_with_problems_names_the_folder_they_are_in(tmp_path: Path) -> None:
    write(tmp_path, "customers", CUSTOMERS, "2026-10-05 12:00")
    take(tmp_path)
    terms = tmp_path / "terms"
    terms.mkdir()
    with pytest.raises(ReferenceInvalid, match=r"terms holds no reference file such as customers\.csv"):
        load_whatif_reference(tmp_path, ATHENS, terms)
    (terms / "accounts.csv").write_text("source,account_id,customer_id,valid_from\naws,1,k9,2026-01-01\n")
    with pytest.raises(ReferenceInvalid) as refused:
        load_whatif_reference(tmp_path, ATHENS, terms)
    assert refused.value.problems == (
        f"{terms}/accounts.csv, row 1, column customer_id, value k9: is not in reference/customers.csv",
    )
    (terms / "prices.csv").write_text("a\n")
    with pytest.raises(ReferenceInvalid, match=r"terms/prices\.csv: is unknown; the files are customers"):
        load_whatif_reference(tmp_path, ATHENS, terms)


# What the archive holds.


def test_a_version_that_was_changed_in_the_archive_is_noticed(tmp_path: Path) -> None:
    write(tmp_path, "customers", CUSTOMERS, "2026-10-05 12:00")
    take(tmp_path)
    [version] = (tmp_path / "archive" / "reference" / "customers").iterdir()
    version.chmod(0o644)
    version.write_text(CUSTOMERS.replace("EUR", "USD"))
    with pytest.raises(ArchiveDamaged, match="its bytes no longer have the SHA-256 of its name"):
        load_reference(tmp_path, ATHENS, instant("2026-12-31 00:00"))
    version.unlink()
    with pytest.raises(ArchiveDamaged, match="is missing; the journal of reference files names it"):
        load_reference(tmp_path, ATHENS, instant("2026-12-31 00:00"))


def test_a_lost_entry_of_the_journal_is_noticed(tmp_path: Path) -> None:
    for number in (1, 2):
        write(tmp_path, "customers", CUSTOMERS.replace("Acme", f"Acme {number}"), f"2026-10-0{number} 12:00")
        take(tmp_path, f"2026-10-0{number} 13:00")
    first, second = sorted((tmp_path / "archive" / "reference" / "journal").iterdir())
    assert json.loads(second.read_text())["taken_at"] == "2026-10-02T13:00:00+00:00"
    first.unlink()
    with pytest.raises(ArchiveDamaged, match=r"000001\.json is missing; later entries of the journal exist"):
        take(tmp_path)


def test_a_clock_that_goes_back_does_not_turn_the_journal_round(tmp_path: Path) -> None:
    write(tmp_path, "customers", CUSTOMERS, "2026-10-05 12:00")
    take(tmp_path, "2026-10-05 13:00")
    write(tmp_path, "customers", BETA, "2026-10-05 12:00")
    reference = take(tmp_path, "2026-10-05 09:00")
    first, second = ReferenceJournal(tmp_path).taken()
    assert first.taken_at < second.taken_at
    assert first.arrived_at < second.arrived_at
    assert reference.customers.height == 2
