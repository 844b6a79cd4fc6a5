"""Pages go through a list once, without gap or repetition, and a cursor that was tampered with is refused."""

import base64

import httpx
import pytest

from database import new_id


async def planted(client: httpx.AsyncClient, headers: dict[str, str], count: int) -> list[str]:
    ids = [str(new_id()) for _ in range(count)]
    for tree_id in ids:
        answer = await client.put("/v1/trees/hot", json={"tree_id": tree_id, "kind": "pear"}, headers=headers)
        assert answer.status_code == 200
    return ids


async def test_pages_show_every_item_once_in_order(client: httpx.AsyncClient, headers: dict[str, str]) -> None:
    ids = await planted(client, headers, 7)
    seen: list[str] = []
    sizes: list[int] = []
    cursor: str | None = None
    while True:
        query = {"limit": "3"} | ({"cursor": cursor} if cursor else {})
        page = (await client.get("/v1/trees", params=query, headers=headers)).json()
        seen += [item["tree_id"] for item in page["items"]]
        sizes.append(len(page["items"]))
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert seen == ids
    assert sizes == [3, 3, 1]


async def test_a_page_that_ends_the_list_exactly_has_no_next(
    client: httpx.AsyncClient, headers: dict[str, str]
) -> None:
    await planted(client, headers, 2)
    page = (await client.get("/v1/trees?limit=2", headers=headers)).json()
    assert (len(page["items"]), page["next_cursor"]) == (2, None)


def encoded(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


@pytest.mark.parametrize(
    "cursor",
    [
        "x",
        "***",
        "é",
        encoded("{"),
        encoded("[]"),
        encoded('["now", 1]'),
        encoded('["2026-01-01T00:00:00Z"]'),
        encoded("1"),
        encoded('["9999-12-31T23:59:59-05:00", "00000000-0000-7000-8000-000000000000"]'),
    ],
)
async def test_a_cursor_that_was_tampered_with_is_refused(
    client: httpx.AsyncClient, headers: dict[str, str], cursor: str
) -> None:
    answer = await client.get("/v1/trees", params={"cursor": cursor}, headers=headers)
    assert answer.status_code == 422
    assert answer.json()["type"] == "/problems/cursor_invalid"


@pytest.mark.parametrize("limit", ["0", "201", "-1", "many", "1.5"])
async def test_a_limit_outside_1_to_200_is_refused(
    client: httpx.AsyncClient, headers: dict[str, str], limit: str
) -> None:
    answer = await client.get("/v1/trees", params={"limit": limit}, headers=headers)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "/query/limit"
