"""Tags that are spread over several items, through the API."""

from typing import Any

import pytest

from functions.dynamodb.tables import items_per_tag
from tests.functions.conftest import TABLE, forget
from tests.functions.gateway import request


def deploy(monkeypatch: pytest.MonkeyPatch, items: str) -> None:
    monkeypatch.setenv("ITEMS_PER_TAG", items)
    forget()


def test_number_can_be_raised_and_lowered_between_visits(tables: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    count = 0
    for items in ("1", "4", "50", "2", "1"):
        deploy(monkeypatch, items)
        for number in range(12):
            count += 1
            headers = {"Idempotency-Key": f"{items}-{count}"} if number % 3 else {}
            assert request("POST", "/tag/café", headers=headers).json == {"tag": "café", "count": count}
        assert request("GET", "/counts/café").json["count"] == count
        assert request("GET", "/counts?limit=100").json["tags"] == [{"tag": "café", "count": count}]
        assert f">{count}<" in request("GET", "/badge/café?count=false").body
    assert request("POST", "/tag/café", headers={"Idempotency-Key": "1-60"}).json["count"] == count
    stored = tables.scan(TableName=TABLE)["Items"]
    assert len(stored) > 10
    assert sum(int(item["Count"]["N"]) for item in stored) == count
    assert "café" in {item["ID"]["S"] for item in stored}


def test_key_of_further_item_is_not_a_tag(tables: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    deploy(monkeypatch, "50")
    for _ in range(9):
        request("POST", "/tag/a")
    further = [item["ID"]["S"] for item in tables.scan(TableName=TABLE)["Items"] if item["ID"]["S"] != "a"]
    assert further
    for key in further:
        assert request("POST", f"/tag/{key.replace('/', '%2F').replace('%/', '%25/')}").status in (400, 404)


@pytest.mark.parametrize("value", ["0", "51", "-1", "x", "1.0", "", "01"])
def test_invalid_number_of_items_is_refused(tables: Any, monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    deploy(monkeypatch, value)
    with pytest.raises(RuntimeError, match="ITEMS_PER_TAG"):
        items_per_tag()
