"""What verify calls drift; tests/e2e/test_verifying.py verifies a real total."""

from __future__ import annotations

from typing import Any

import pytest

from cli.aws import Claim, Findings, Ownership
from cli.commands.verify import describe
from cli.main import main
from functions.total.ledger import Entry, Image
from functions.total.verification import Behind

OWNED = Claim(Ownership.OWNED, "l", "e", 7, "", rebuilding=False)
AGREEING = {"tags": 2, "visits": 5, "counted": 5, "entries": 3, "given": 7, "before": 7, "after": 7}


def drift(claim: Claim = OWNED, **more: Any) -> list[str]:
    found: list[str] = describe(Findings(claim, **{**AGREEING, **more}), in_flight=0)["drift"]
    return found


def test_what_agrees_is_no_drift() -> None:
    assert drift() == []
    assert drift(before=5, after=9) == []


def test_a_deployment_without_a_visit_has_no_drift() -> None:
    unused = Claim(Ownership.UNOWNED, "", "", None, "", rebuilding=False)
    assert drift(unused, entries=0, given=0, before=0, after=0) == []
    assert drift(unused)[0].startswith("The total is not this ledger's: no ledger vouches for the total.")


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        ({"given": 8}, "The total (7) is not the sum of the ledger (8). Run `counter reconcile`."),
        ({"given": 3, "before": 5}, "The total (5 to 7) is not the sum of the ledger (3). Run `counter reconcile`."),
        (
            {"outdated": 1},
            "The visits of 1 ledger entry are missing: it belongs to an earlier total. Run `counter reconcile`.",
        ),
    ],
)
def test_each_kind_of_drift_is_a_sentence(more: dict[str, int], sentence: str) -> None:
    assert drift(OWNED, **more) == [sentence]


def test_a_total_that_reconcile_refuses_is_named_with_the_command_that_takes_it_over() -> None:
    theirs = OWNED._replace(ownership=Ownership.OTHER_LEDGER, ledger="theirs")
    behind = {"news": Behind(Image(2), Entry(), 2)}
    assert drift(theirs, outdated=1, behind=behind) == [
        "The total is not this ledger's: another ledger maintains the total ('theirs'). If that one is no longer used, "
        "run `counter take-over`.",
        "1 tag with 2 visits that are not in the total: 'news'.",
    ]
    moved = OWNED._replace(ownership=Ownership.OTHER_TABLE)
    assert drift(moved)[0].endswith("of another table. If that one is no longer used, run `counter take-over`.")
    nobodys = OWNED._replace(ownership=Ownership.UNOWNED)
    assert drift(nobodys)[0].endswith("Run `counter reconcile`.")


def test_only_some_of_many_tags_are_named() -> None:
    behind = {f"tag {number:02}": Behind(Image(2), Entry(), 2) for number in range(12)}
    (sentence,) = drift(behind=behind)
    assert sentence.startswith("12 tags with 24 visits that are not in the total: 'tag 00', ")
    assert "'tag 09' and 2 more. If they do not arrive" in sentence


def test_a_spread_tag_is_named_once() -> None:
    behind = {key: Behind(Image(2), Entry(), 2) for key in ("a/%/2", "a", "b/%/1")}
    (sentence,) = drift(behind=behind)
    assert sentence.startswith("2 tags with 6 visits that are not in the total: 'a', 'b'. If")


@pytest.mark.parametrize(("key", "problem"), [("COUNTER/%/1", "the key of the total"), ("a/%/1", "of the tag 'a'")])
def test_an_item_of_a_spread_tag_or_total_is_not_deleted_by_itself(
    key: str, problem: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["delete", key, "--table", "t", "--ledger", "l", "--region", "eu-west-1", "--yes"]) == 2
    assert problem in capsys.readouterr().err
