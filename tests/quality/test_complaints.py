"""6.4: a complaint from the intake to the closure by somebody else."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client

from dealership.kernel import clock
from dealership.kernel.errors import NotAllowed, RuleError
from dealership.kernel.models import History
from quality.models import Complaint
from quality.selectors.complaints import complaint_counts
from quality.services import complaints as commands
from reception.services.merging import merge_customers
from tests.factories.delivery import make_employee, make_team, make_visit
from tests.factories.kernel import make_actor, make_store
from tests.factories.reception import make_customer


@pytest.fixture
def case(db):
    store = make_store()
    care, manager = make_actor("care", store=store), make_actor("manager", store=store)
    for who in (care, manager):
        make_employee(store, who.user)
    complaint = commands.open_complaint(
        customer_uid=make_customer().uid, description="等太久", source="PHONE", level="ESCALATED", by=care
    )
    return complaint, care, manager


def test_the_clock_follows_the_level_and_is_never_typed(case):
    complaint, care, _manager = case
    assert complaint.response_due_at - complaint.opened_at == timedelta(hours=8)
    assert complaint_counts(care) == {"OPEN": 1, "LATE": 0, "CLOSED": 0}
    with clock.moved_to(complaint.response_due_at + timedelta(seconds=1)):
        assert complaint_counts(care)["LATE"] == 1


def test_from_the_answer_to_the_closure_by_somebody_else(case):
    complaint, care, manager = case
    commands.respond_complaint(uid=complaint.uid, words="已致电", by=care)
    commands.review_complaint(uid=complaint.uid, cause="排队过长", by=care)
    commands.resolve_complaint(uid=complaint.uid, solution="赠洗车", by=care)
    with pytest.raises(RuleError) as refusal:
        commands.close_complaint(uid=complaint.uid, by=care)
    assert refusal.value.code == "complaint.closer"
    closed = commands.close_complaint(uid=complaint.uid, by=manager)
    assert closed.state == "CLOSED"
    codes = History.objects.filter(root_uid=complaint.uid).order_by("id").values_list("code", flat=True)
    assert [code.split(".")[2] for code in codes] == ["opened", "responded", "reviewed", "resolved", "closed"]
    again = commands.reopen_complaint(uid=complaint.uid, reason="又响了", by=manager)
    assert (again.state, again.closed_at) == ("UNDER_REVIEW", None)


def test_the_person_complained_about_doesnt_handle_it(case, refused):
    complaint, care, _manager = case
    Complaint.objects.filter(pk=complaint.pk).update(subject=care.user.employee)
    with pytest.raises(RuleError) as refusal:
        commands.respond_complaint(uid=complaint.uid, words="已致电", by=care)
    assert refusal.value.code == "complaint.subject"
    with refused("complaint_handler_not_subject") as sql:
        sql("UPDATE quality_complaint SET handler_id = subject_id")
    assert Complaint.objects.get().handler is None


def test_steps_out_of_order_and_without_words_are_refused(case):
    complaint, care, manager = case
    for command in (
        lambda: commands.resolve_complaint(uid=complaint.uid, solution="x", by=care),
        lambda: commands.close_complaint(uid=complaint.uid, by=manager),
        lambda: commands.respond_complaint(uid=complaint.uid, words=" ", by=care),
    ):
        with pytest.raises(RuleError):
            command()
    assert Complaint.objects.get().state == "OPEN"
    with pytest.raises(NotAllowed):
        commands.respond_complaint(uid=complaint.uid, words="x", by=make_actor("cashier", store=complaint.store))


def test_the_database_holds_the_moves_and_the_second_person(case, refused):
    with refused("complaint_moves") as sql:
        sql("UPDATE quality_complaint SET state = 'CLOSED'")
    assert Complaint.objects.get().state == "OPEN"


def test_another_stores_complaint_is_not_there(case):
    complaint, _care, _manager = case
    other = make_actor("care", store=make_store())
    with pytest.raises(Complaint.DoesNotExist):
        commands.respond_complaint(uid=complaint.uid, words="x", by=other)


def test_the_pages(case):
    complaint, care, manager = case
    client = Client()
    client.force_login(care.user)
    assert complaint.number in client.get("/complaints/").content.decode()
    address = f"/complaints/{complaint.uid}/"
    assert client.post(address, {"words": ""}).status_code == 422
    for words in ("已致电", "排队过长", "赠洗车"):
        assert client.post(address, {"words": words}).status_code == 302
    mine = client.get(address).content.decode()
    assert f"{address}close/" not in mine  # who handled it isn't offered what is refused, and reads who does it
    assert "换一位同事来结案" in mine
    assert client.post(f"{address}close/").status_code == 422
    client.force_login(manager.user)
    assert f"{address}close/" in client.get(address).content.decode()
    assert client.post(f"{address}close/").status_code == 302
    assert Complaint.objects.get().state == "CLOSED"


def test_the_database_refuses_a_complaint_of_a_merged_customer(case, refused):
    complaint, care, _manager = case
    merged = make_customer()
    merge_customers(
        kept_uid=complaint.customer.uid, merged_uid=merged.uid, by=make_actor("manager", store=complaint.store)
    )
    with refused("complaint_standing_customer") as sql:
        sql("UPDATE quality_complaint SET customer_id = %s WHERE id = %s", [merged.pk, complaint.pk])
    again = commands.open_complaint(customer_uid=merged.uid, description="还是吵", source="PHONE", by=care)
    assert again.customer == complaint.customer


@pytest.mark.django_db
def test_the_visits_page_leads_to_taking_in_a_complaint_and_shows_it():
    team = make_team()
    visit = make_visit(team)
    care, technician = make_actor("care", store=team.store), make_actor("technician", store=team.store)
    client = Client()
    client.force_login(care.user)
    address = f"/visits/{visit.uid}/complaint/"
    assert address in client.get(f"/visits/{visit.uid}/").content.decode()
    complaint = commands.open_complaint(
        customer_uid=visit.customer.uid, visit_uid=visit.uid, description="等得太久", source="PHONE", by=care
    )
    assert complaint.number in client.get(f"/visits/{visit.uid}/").content.decode()
    client.force_login(technician.user)
    assert address not in client.get(f"/visits/{visit.uid}/").content.decode()
