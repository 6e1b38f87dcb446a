"""3.2: what the parts keeper's day tripped over: taking back, tags that are scanned, places, traces, trial parts."""

from __future__ import annotations

import re
from decimal import Decimal
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client
from django.urls import reverse

from dealership.catalogue.models import Part
from tests.factories.delivery import make_ready, make_team
from tests.factories.kernel import make_actor
from tests.factories.workshop import make_shop
from tests.workshop.test_bins import lies, receive, shelf
from tests.workshop.test_old_parts import keep
from tests.workshop.test_stock import keeper, part_line
from workshop.selectors.old_parts import find_tag, tag_hits
from workshop.selectors.tracing import traces
from workshop.services import stock

D = Decimal


def signed_in(by) -> Client:
    client = Client()
    client.force_login(by.user)
    return client


@pytest.fixture
def shop(db):
    return make_shop()


def test_what_came_back_is_needed_again_and_kept_again_in_one_tap(shop):
    row, desk = part_line(shop, quantity=D(2)), signed_in(keeper(shop))
    stock.receive_stock(part_uid=row.part.uid, quantity=D(2), unit_cost=D(9), bin="A-01", by=keeper(shop))
    stock.issue_part(part_line_uid=row.uid, by=keeper(shop))
    page = reverse("order-parts", args=[row.line.order.uid])
    back = {"code": row.part.number, "reason": "型号不符", "condition": "OPENED"}
    answer = desk.post(page + "?mode=back", back, follow=True)
    asked = parse_qs(urlsplit(answer.redirect_chain[0][0]).query)
    assert (asked["condition"], asked["reason"]) == (["OPENED"], ["型号不符"])  # both stay for the next one
    assert answer.context["form"]["condition"].value() == "OPENED"
    assert "工单仍需要 2 升" in answer.content.decode()
    reserve = reverse("part-reserve", args=[row.uid])
    assert reserve not in answer.content.decode()  # nothing lies there that could be kept
    stock.receive_stock(part_uid=row.part.uid, quantity=D(3), unit_cost=D(9), bin="A-01", by=keeper(shop))
    shown = desk.get(page + "?mode=back").content.decode()
    assert f'formaction="{reserve}"' in shown
    token = re.search(r'name="form_token" value="([^"]+)"', shown)[1]
    kept = desk.post(reserve, {"form_token": token, "next": page + "?mode=back"})
    row.refresh_from_db()
    assert (kept["Location"], row.reserved_quantity, row.issued_quantity) == (page + "?mode=back", D(2), D(0))
    assert reserve not in desk.get(page).content.decode()


def test_a_traced_part_is_in_the_car_once_its_work_is_done(shop):
    row = part_line(shop, quantity=D(1))
    Part.objects.filter(pk=row.part_id).update(tracing="SERIAL")
    row.part.refresh_from_db()
    stock.receive_stock(part_uid=row.part.uid, quantity=D(1), unit_cost=D(9), lots=["S7"], by=keeper(shop))
    stock.issue_part(part_line_uid=row.uid, lots=["S7"], by=keeper(shop))
    [use] = traces(keeper(shop), "S7")[0].uses
    assert (use.left, use.fitted) == (D(1), False)
    desk = signed_in(keeper(shop))
    page = desk.get(reverse("stock-trace") + "?code=S7")
    assert "soon" in page.content.decode()
    use.part_line.line.state = "COMPLETED"
    assert use.fitted


@pytest.mark.django_db
def test_a_scanned_tag_opens_its_part_and_asks_for_the_place_once():
    team = make_team()
    part = keep(make_ready(team))
    by = make_actor("parts", store=team.store)
    desk = signed_in(by)
    tag = desk.get(reverse("old-part-tag", args=[part.uid])).content.decode()
    assert 'class="qr" src="data:image/svg+xml' in tag
    label = f"http://testserver{reverse('old-part-scan')}?code={part.tag}"  # what the code says
    assert find_tag(label, by) == find_tag(part.tag.lower(), by) == part
    assert "?show=placeless" in desk.get(reverse("old-parts")).content.decode()
    asks = desk.get(reverse("old-part-scan"), {"code": label})
    assert asks["Location"] == reverse("old-part-place", args=[part.uid])
    assert desk.post(asks["Location"], {"place": ""}).status_code == 422
    assert desk.post(asks["Location"], {"place": "J-02"})["Location"] == reverse("old-parts") + "?show=placeless"
    assert part.tag not in desk.get(reverse("old-parts") + "?show=placeless").content.decode()
    opened = desk.get(reverse("old-part-scan"), {"code": part.tag})
    assert opened["Location"] == reverse("old-part", args=[part.uid])
    assert desk.get(reverse("search"), {"q": label, "scan": "1"})["Location"] == opened["Location"]
    assert "JJ-NO" in desk.get(reverse("old-part-scan"), {"code": "JJ-NO"}, follow=True).content.decode()
    stranger = make_actor("parts", store=make_shop().store)
    assert find_tag(part.tag, stranger) is None
    viewer = signed_in(make_actor("advisor", store=team.store))
    type(part).objects.filter(pk=part.pk).update(place="")
    assert viewer.get(reverse("old-part-scan"), {"code": part.tag})["Location"] == opened["Location"]
    assert list(tag_hits(by, type("T", (), {"text": "张三"})())) == []


def test_trial_parts_preselect_neither_car_nor_technician(shop):
    part_line(shop)
    page = signed_in(keeper(shop)).get(reverse("part-trials"))
    form = page.context["form"]
    assert form.fields["order_uid"].choices[0][0] == form.fields["employee_uid"].choices[0][0] == ""
    answer = signed_in(keeper(shop)).post(reverse("part-trials"), {"code": "X", "quantity": "1"})
    assert {"order_uid", "employee_uid"} <= answer.context["form"].errors.keys()


def test_a_move_proposes_all_of_it_and_a_count_belongs_to_the_bin_one_stands_at(shop):
    part, desk = Part.objects.first(), signed_in(keeper(shop))
    receive(shop, part, 5, bin="A-01")
    item = shelf(shop, part)
    moves, counts = (reverse(name, args=[item.uid]) for name in ("stock-transfer", "stock-count"))
    form = desk.get(moves).context["form"]
    assert (form["source"].value(), form["quantity"].value()) == (str(item.bins.get().uid), "5")
    assert "A-01" in desk.get(counts).content.decode()
    receive(shop, part, 2, bin="B-02")
    for address, field in ((moves, "source"), (counts, "bin")):
        form = desk.get(address).context["form"]
        assert (form.fields[field].choices[0][0], form[field].value()) == ("", None)
    refused = desk.post(counts, {"counted": "1", "reason": "盘亏", "bin": ""})
    assert (refused.status_code, "bin" in refused.context["form"].errors) == (422, True)
    assert desk.post(moves, {"source": "", "quantity": "1", "to_bin": "C-01"}).status_code == 422
    row = item.bins.get(bin="B-02")
    assert desk.post(counts, {"counted": "1", "reason": "盘亏", "bin": row.uid}).status_code == 302
    assert desk.post(moves, {"source": row.uid, "quantity": "1", "to_bin": "main c-01"}).status_code == 302
    assert lies(item) == {("MAIN", "A-01"): D(5), ("MAIN", "c-01"): D(1)}
