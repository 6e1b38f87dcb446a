"""3.4: the crib is counted by scanning, closed by a second person; what isn't there goes out of use."""

from __future__ import annotations

import pytest

from dealership.kernel.errors import NotAllowed
from dealership.kernel.models import History
from tests.factories.floor import actor, clock_at
from tests.factories.reception import rule
from tests.workshop.test_floor_pages import client_of, english
from tests.workshop.test_tools import Crib, told
from workshop.models import ToolAsset, ToolCount, ToolCountRow
from workshop.selectors.tools import count_sheet
from workshop.services import counting, tools


@pytest.fixture
def nine():
    with clock_at(9):
        yield


@pytest.mark.django_db
def test_what_is_neither_seen_nor_out_is_missing_and_a_second_person_closes(nine):
    crib = Crib()
    seen, gone, out, broken, came = (crib.tool(name=name) for name in ("锤", "钳", "锯", "尺", "刀"))
    scrapped = crib.tool()
    tools.scrap_tool(uid=scrapped.uid, note="旧", by=crib.techdirector)
    tools.issue_tool(uid=out.uid, by=crib.worker)
    tools.issue_tool(uid=came.uid, by=crib.worker)
    tools.report_damage(uid=broken.uid, note="裂", by=crib.worker)
    count = counting.start_count(by=crib.parts)
    with rule("count.open"):
        counting.start_count(by=crib.techdirector)
    counting.see_tool(uid=count.uid, number=f"http://shop/tools/scan/?code={seen.number}", by=crib.parts)
    counting.see_tool(uid=count.uid, number=seen.number.lower(), by=crib.techdirector)
    for unknown in (scrapped.number, "G-999", " "):
        with rule("count.unknown"):
            counting.see_tool(uid=count.uid, number=unknown, by=crib.parts)
    tools.return_tool(uid=came.uid, condition="GOOD", by=crib.worker)
    sheet = count_sheet(count)
    assert [row.tool for row in sheet.seen] == [seen]
    assert [row.tool for row in sheet.unseen] == [gone, broken]
    assert [row.tool for row in sheet.moved] == [out, came]
    with rule("count.second_person"):
        counting.close_count(uid=count.uid, note="找过", by=crib.parts)
    with rule("count.note"):
        counting.close_count(uid=count.uid, note=" ", by=crib.techdirector)
    assert not ToolCountRow.objects.filter(missing=True).exists()
    closed = counting.close_count(uid=count.uid, note="工具间已找", by=crib.techdirector)
    assert (closed.state, closed.ended_by_id) == ("CLOSED", crib.director.pk)
    sheet = count_sheet(closed)
    assert ([row.tool for row in sheet.missing], sheet.expected, sheet.done) == ([gone, broken], 5, 3)
    states = dict(ToolAsset.objects.values_list("number", "state"))
    assert [states[tool.number] for tool in (seen, gone, out, broken, came)] == [
        "AVAILABLE", "OUT_OF_ORDER", "ISSUED", "OUT_OF_ORDER", "AVAILABLE"
    ]  # fmt: skip
    assert told(gone)[-1] == "missed"
    with rule("tool.unavailable"):
        tools.issue_tool(uid=gone.uid, by=crib.worker)
    codes = History.objects.filter(root_uid=count.uid).order_by("id").values_list("code", flat=True)
    assert [code.rsplit(".", 1)[1] for code in codes] == ["started", "seen", "closed"]
    for command, given in (
        (counting.see_tool, {"number": seen.number}), (counting.close_count, {}), (counting.cancel_count, {"note": "x"})
    ):  # fmt: skip
        with rule("count.ended"):
            command(uid=count.uid, by=crib.techdirector, **given)
    crib.test(gone)
    tools.issue_tool(uid=gone.uid, by=crib.worker)  # found again and looked at


@pytest.mark.django_db
def test_an_empty_crib_a_cancelled_count_and_who_may(nine):
    crib = Crib()
    with rule("count.nothing"):
        counting.start_count(by=crib.parts)
    tool = crib.tool()
    with pytest.raises(NotAllowed):
        counting.start_count(by=crib.worker)
    count = counting.start_count(by=crib.parts)
    with rule("count.reason"):
        counting.cancel_count(uid=count.uid, note="", by=crib.parts)
    assert counting.cancel_count(uid=count.uid, note="误开", by=crib.parts).state == "CANCELLED"
    count = counting.start_count(by=crib.techdirector)
    counting.see_tool(uid=count.uid, number=tool.number, by=crib.techdirector)
    assert counting.close_count(uid=count.uid, by=crib.parts).note == ""
    with pytest.raises(ToolCount.DoesNotExist):
        counting.close_count(uid=count.uid, by=Crib().parts)


@pytest.mark.django_db
def test_the_database_holds_the_second_person_and_what_was_closed(nine, refused):
    crib = Crib()
    tool = crib.tool()
    count = counting.start_count(by=crib.parts)
    mine = f"ended_at = now(), ended_by_id = {crib.keeper.pk}"
    with refused("toolcount_second_person") as sql:
        sql(f"UPDATE workshop_toolcount SET state = 'CLOSED', {mine}")
    with refused("toolcount_fixed") as sql:
        sql(f"UPDATE workshop_toolcount SET started_by_id = {crib.director.pk}")
    with refused("toolcountrow_once") as sql:
        sql(
            "INSERT INTO workshop_toolcountrow (count_id, tool_id, missing) SELECT count_id, tool_id, false"
            " FROM workshop_toolcountrow"
        )
    with refused("toolcount_one_open") as sql:
        sql(
            "INSERT INTO workshop_toolcount (uid, version, created_at, updated_at, store_id, state, started_at, started_by_id,"
            " note) SELECT gen_random_uuid(), 1, now(), now(), store_id, state, started_at, started_by_id, ''"
            " FROM workshop_toolcount"
        )
    counting.see_tool(uid=count.uid, number=tool.number, by=crib.parts)
    with refused("toolcountrow_missing") as sql:
        sql("UPDATE workshop_toolcountrow SET missing = true")
    counting.close_count(uid=count.uid, by=crib.techdirector)
    for statement in ("UPDATE workshop_toolcountrow SET seen_at = NULL", "DELETE FROM workshop_toolcountrow"):
        with refused("toolcountrow_while_counting") as sql:
            sql(statement)
    with refused("toolcount_moves") as sql:
        sql("UPDATE workshop_toolcount SET state = 'COUNTING', ended_at = NULL, ended_by_id = NULL")


@pytest.mark.django_db
def test_the_pages_of_a_stock_take(nine):
    crib = Crib()
    tool, other = crib.tool(name="锤"), crib.tool(name="钳")
    keeper, director = client_of(crib.keeper), client_of(crib.director)
    assert "No stock-take yet" in english(keeper, "/tools/counts/")
    address = keeper.post("/tools/counts/")["Location"]
    page = english(keeper, address)
    assert "Not seen yet" in page
    assert "Close the count" not in page
    wrong = keeper.post(address, {"number": "G-77"})
    assert wrong.status_code == 422
    assert "G-77" in wrong.content.decode()
    keeper.post(address, {"number": tool.number})
    assert "Close the count" in english(director, address)
    ending = english(director, f"{address}close/")
    assert "1 tool wasn't seen" in ending
    assert other.name in ending
    assert director.post(f"{address}close/", {"note": ""}).status_code == 422
    assert director.post(f"{address}close/", {"note": "没找到"})["Location"] == address
    closed = english(keeper, address)
    assert "没找到" in closed
    assert "1 / 2" in english(keeper, "/tools/counts/")
    second = keeper.post("/tools/counts/")["Location"]
    assert keeper.post(f"{second}cancel/", {"note": "误开"})["Location"] == second
    assert client_of(crib.technician).get("/tools/counts/").status_code == 403
    assert actor(crib.keeper).may("workshop.tools.count")
