"""2.1.2: from the greeting to the departure; each command with its history line, its refusals and its race."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection

from dealership.kernel import clock
from dealership.kernel.actors import customer_link
from dealership.kernel.errors import NotAllowed, RaceLost, RuleError
from dealership.kernel.models import History, Message
from reception.models import Visit, VisitLink, VisitPromise, VisitState
from reception.services import visits
from tests.factories.kernel import make_actor as make_bare_actor
from tests.factories.reception import make_picture, make_received_visit, make_signed_visit, make_visit
from tests.factories.staff import actor_for, make_actor, make_employee, make_store

NOW = datetime(2026, 11, 23, 2, 42, tzinfo=UTC)
pytestmark = pytest.mark.django_db


@pytest.fixture
def store():
    return make_store("BJ01")


@pytest.fixture
def advisor(store):
    return make_actor(store, "advisor", name="林晓")


def as_customer(visit):
    return customer_link(visit_id=visit.pk, store_id=visit.store_id, token_id="test-link")


def unchanged(command, **values):
    """Runs a command that must be refused; nothing may have been written by it."""
    before = (list(Visit.objects.order_by("pk").values()), History.objects.count(), VisitPromise.objects.count())
    with pytest.raises(RuleError) as refusal:
        command(**values)
    assert before == (
        list(Visit.objects.order_by("pk").values()),
        History.objects.count(),
        VisitPromise.objects.count(),
    )
    return refusal.value


def test_greeting_stops_the_clock_and_names_the_advisor(store, advisor):
    with clock.moved_to(NOW):
        visit = make_visit(advisor)
    with clock.moved_to(NOW + timedelta(minutes=3)):
        greeted = visits.greet_visit(uid=visit.uid, by=advisor)
    assert (greeted.state, greeted.advisor.name) == (VisitState.IN_RECEPTION, "林晓")
    assert greeted.greeted_at == NOW + timedelta(minutes=3)
    line = History.objects.get(code="reception.visit.greeted")
    assert line.changed == {"state": ["WAITING", "IN_RECEPTION"]}
    assert line.facts == {"advisor": str(greeted.advisor.uid), "waited_seconds": 180}


def test_the_desk_names_another_advisor(store):
    desk, other = make_actor(store, "receptionist"), make_employee(store, "advisor", name="陈强")
    visit = make_visit(desk)
    assert visits.greet_visit(uid=visit.uid, advisor_uid=other.uid, by=desk).advisor == other


def test_a_received_customer_is_not_received_again(store, advisor):
    visit = make_received_visit(advisor)
    refusal = unchanged(visits.greet_visit, uid=visit.uid, by=make_actor(store, "advisor"))
    assert isinstance(refusal, RaceLost)
    assert (refusal.code, refusal.params) == ("visit.greeted", {"name": "林晓"})


def test_a_log_in_of_nobody_receives_nobody(store, advisor):
    visit = make_visit(advisor)
    refusal = unchanged(visits.greet_visit, uid=visit.uid, by=make_bare_actor("advisor", store=store))
    assert refusal.code == "employee.missing"


def test_a_technician_may_not_receive(store, advisor):
    visit = make_visit(advisor)
    with pytest.raises(NotAllowed, match=r"reception\.visits\.receive"):
        visits.greet_visit(uid=visit.uid, by=make_actor(store, "technician"))
    visit.refresh_from_db()
    assert visit.state == VisitState.WAITING


def test_another_store_s_visit_is_not_there(advisor):
    other = make_visit(make_actor(make_store("SH01"), "advisor"))
    with pytest.raises(Visit.DoesNotExist):
        visits.greet_visit(uid=other.uid, by=advisor)


def run_both(*jobs):
    """Runs jobs in threads of their own, at once; returns what each returned or raised."""
    start, results = threading.Barrier(len(jobs)), [None] * len(jobs)

    def run(place, job):
        try:
            start.wait()
            results[place] = job()
        except Exception as exc:
            results[place] = exc
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(jobs)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


@pytest.mark.django_db(transaction=True)
def test_two_advisors_greet_at_once_one_wins_and_the_other_is_told():
    store = make_store("BJ01")
    one, two = (make_employee(store, "advisor", name=name) for name in ("林晓", "陈强"))
    visit = make_visit(actor_for(one))
    results = run_both(
        lambda: visits.greet_visit(uid=visit.uid, by=actor_for(one)),
        lambda: visits.greet_visit(uid=visit.uid, by=actor_for(two)),
    )
    won = [r for r in results if isinstance(r, Visit)]
    lost = [r for r in results if isinstance(r, RaceLost)]
    assert (len(won), len(lost)) == (1, 1)
    assert (lost[0].code, lost[0].params["name"]) == ("visit.greeted", won[0].advisor.name)
    assert History.objects.filter(code="reception.visit.greeted").count() == 1


def test_leaving_unserved_needs_a_reason(advisor):
    visit = make_visit(advisor)
    refusal = unchanged(visits.leave_unserved, uid=visit.uid, reason="  ", by=advisor)
    assert (refusal.code, refusal.field) == ("visit.unserved_reason", "reason")
    left = visits.leave_unserved(uid=visit.uid, reason="等太久", by=advisor)
    assert (left.state, left.ended_note) == (VisitState.LEFT_UNSERVED, "等太久")
    assert left.left_at is not None
    assert History.objects.get(code="reception.visit.left_unserved").changed == {"state": ["WAITING", "LEFT_UNSERVED"]}


def test_who_is_received_does_not_leave_unserved(advisor):
    visit = make_received_visit(advisor)
    assert unchanged(visits.leave_unserved, uid=visit.uid, reason="x", by=advisor).code == "state.move"


@pytest.mark.parametrize(("outcome", "note"), [("CONSULTED", ""), ("SALES_LEAD", "想看新款")])
def test_a_consultation_ends_answered_or_with_sales(advisor, outcome, note):
    visit = make_received_visit(advisor)
    ended = visits.end_consultation(uid=visit.uid, outcome=outcome, note=note, by=advisor)
    assert (ended.state, ended.ended_note) == (outcome, note)
    assert History.objects.get(code="reception.visit.consulted").facts == {"outcome": outcome}


@pytest.mark.parametrize(
    ("outcome", "code"),
    [("DEPARTED", "visit.outcome"), ("NONSENSE", "visit.outcome"), ("SALES_LEAD", "visit.lead_note")],
)
def test_a_consultation_ends_in_no_other_way(advisor, outcome, code):
    visit = make_received_visit(advisor)
    assert unchanged(visits.end_consultation, uid=visit.uid, outcome=outcome, by=advisor).code == code


def test_a_waiting_customer_has_had_no_consultation(advisor):
    visit = make_visit(advisor)
    assert unchanged(visits.end_consultation, uid=visit.uid, outcome="CONSULTED", by=advisor).code == "state.move"


def test_the_area_is_recorded_with_who_takes_over(store, advisor):
    visit, taker = make_received_visit(advisor), make_employee(store, "foreman")
    led = visits.lead_to_area(uid=visit.uid, area="LOUNGE", taken_over_by_uid=taker.uid, by=advisor)
    assert led.area == "LOUNGE"
    line = History.objects.get(code="reception.visit.led")
    assert (line.changed, line.facts) == ({"area": ["", "LOUNGE"]}, {"taken_over_by": str(taker.uid)})
    assert led.advisor != taker
    assert unchanged(visits.lead_to_area, uid=visit.uid, area="MOON", by=advisor).code == "visit.area"


def test_an_advisor_who_takes_over_looks_after_the_visit(store, advisor):
    """2.1.2: the desk received the customer and hands over; the history names both, the link shows who looks after them."""
    visit, colleague = make_received_visit(advisor), make_employee(store, "advisor")
    before = visit.advisor.uid
    led = visits.lead_to_area(uid=visit.uid, area="LOUNGE", taken_over_by_uid=colleague.uid, by=advisor)
    assert led.advisor == colleague
    line = History.objects.get(code="reception.visit.led")
    assert line.changed["advisor"] == [str(before), str(colleague.uid)]


def test_key_holder_and_place_are_known_with_their_history(store, advisor):
    visit, holder = make_visit(advisor), make_employee(store, "technician")
    visits.give_key(uid=visit.uid, key_tag=" a07 ", place="A1", by=advisor)
    moved = visits.give_key(uid=visit.uid, key_tag="A07", holder_uid=holder.uid, place="2号位", by=advisor)
    assert (moved.key_tag, moved.key_holder, moved.parking_place) == ("A07", holder, "2号位")
    lines = [h.changed for h in History.objects.filter(code="reception.visit.key_given").order_by("id")]
    assert lines == [
        {"key_tag": ["", "A07"], "key_holder": [None, None], "place": ["", "A1"]},
        {"key_tag": ["A07", "A07"], "key_holder": [None, str(holder.uid)], "place": ["A1", "…"]},
    ]


@pytest.mark.parametrize("tag", ["", "钥07", "0 7", "ABCDEFGHIJK"])
def test_a_tag_is_letters_and_digits(advisor, tag):
    visit = make_visit(advisor)
    assert unchanged(visits.give_key, uid=visit.uid, key_tag=tag, by=advisor).code == "visit.key_tag_form"


def test_a_tag_hangs_on_one_key_only(advisor):
    first, second = make_visit(advisor), make_visit(advisor)
    visits.give_key(uid=first.uid, key_tag="07", by=advisor)
    refusal = unchanged(visits.give_key, uid=second.uid, key_tag="07", by=advisor)
    assert (refusal.code, refusal.field) == ("visit.key_tag", "key_tag")
    assert refusal.params == {"tag": "07", "car": str(first.vehicle)}
    visits.leave_unserved(uid=first.uid, reason="改天再来", by=advisor)
    assert visits.give_key(uid=second.uid, key_tag="07", by=advisor).key_tag == "07"


def test_the_same_key_and_place_again_is_refused(advisor):
    visit = make_visit(advisor)
    visits.give_key(uid=visit.uid, key_tag="07", place="A1", by=advisor)
    assert unchanged(visits.give_key, uid=visit.uid, key_tag="07", place="A1", by=advisor).code == "visit.key_same"


@pytest.mark.django_db(transaction=True)
def test_one_tag_given_to_two_cars_at_once_lands_on_one():
    by = make_actor(make_store("BJ01"), "advisor")
    first, second = make_visit(by), make_visit(by)
    results = run_both(
        lambda: visits.give_key(uid=first.uid, key_tag="07", by=by),
        lambda: visits.give_key(uid=second.uid, key_tag="07", by=by),
    )
    assert sorted(type(r).__name__ for r in results) == ["RaceLost", "Visit"]
    assert next(r for r in results if isinstance(r, RaceLost)).code == "visit.key_tag"
    assert Visit.objects.filter(key_tag="07").count() == 1
    assert History.objects.filter(code="reception.visit.key_given").count() == 1


def test_every_promise_stays_with_its_reason(advisor):
    with clock.moved_to(NOW):
        visit = make_received_visit(advisor)
        visits.promise_visit(uid=visit.uid, promised_at=NOW + timedelta(hours=2), reason="常规保养", by=advisor)
        visits.promise_visit(
            uid=visit.uid, promised_at=NOW + timedelta(hours=3), reason="等件", told="PHONE", by=advisor
        )
    visit.refresh_from_db()
    assert visit.promised_at == NOW + timedelta(hours=3)
    assert list(visit.promises.values_list("promised_at", "reason", "told", "made_at")) == [
        (NOW + timedelta(hours=2), "常规保养", "", NOW),
        (NOW + timedelta(hours=3), "等件", "PHONE", NOW),
    ]
    assert [
        h.changed["promised_at"] for h in History.objects.filter(code="reception.visit.promised").order_by("id")
    ] == [
        [None, "2026-11-23T04:42:00+00:00"],
        ["2026-11-23T04:42:00+00:00", "2026-11-23T05:42:00+00:00"],
    ]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"promised_at": NOW}, "visit.promise_past"),
        ({"promised_at": NOW + timedelta(hours=2)}, "visit.promise_same"),
        ({"reason": " "}, "visit.promise_reason"),
        ({"told": "PIGEON"}, "visit.promise_told"),
    ],
)
def test_a_promise_lies_ahead_and_says_why(advisor, change, code):
    with clock.moved_to(NOW):
        visit = make_received_visit(advisor)
        visits.promise_visit(uid=visit.uid, promised_at=NOW + timedelta(hours=2), reason="保养", by=advisor)
        given = {"promised_at": NOW + timedelta(hours=4), "reason": "等件"} | change
        assert unchanged(visits.promise_visit, uid=visit.uid, by=advisor, **given).code == code


def test_the_shop_takes_a_car_in_only_after_the_signature(advisor):
    visit = make_received_visit(advisor)
    assert unchanged(visits.admit_visit, visit=visit, by=advisor).code == "visit.signature"
    signed = make_signed_visit(advisor)
    assert visits.admit_visit(visit=signed, by=advisor).state == VisitState.IN_SHOP
    assert History.objects.get(code="reception.visit.admitted").changed == {"state": ["IN_RECEPTION", "IN_SHOP"]}
    assert unchanged(visits.admit_visit, visit=signed, by=advisor).code == "state.move"


def test_the_departure_frees_the_tag_reads_the_mileage_and_keeps_the_link_open(store, advisor):
    with clock.moved_to(NOW):
        visit = make_signed_visit(advisor, odometer_km=63208)
        visits.give_key(uid=visit.uid, key_tag="07", holder_uid=make_employee(store).uid, by=advisor)
        visits.promise_visit(uid=visit.uid, promised_at=NOW + timedelta(hours=2), reason="保养", by=advisor)
        visits.admit_visit(visit=visit, by=advisor)
    with clock.moved_to(NOW + timedelta(hours=1)):
        gone = visits.depart_visit(visit=visit, odometer_km=63210, by=advisor)
        assert (gone.state, gone.odometer_out_km, gone.key_holder) == (VisitState.DEPARTED, 63210, None)
        assert gone.vehicle.odometer_km == 63210
        other = make_visit(advisor)
        assert visits.give_key(uid=other.uid, key_tag="07", by=advisor).key_tag == "07"
    assert History.objects.get(code="reception.visit.departed").facts == {"odometer_km": 63210, "on_time": True}
    assert VisitLink.objects.get(visit=visit).expires_at == NOW + timedelta(hours=1, days=90)


def test_a_lower_mileage_on_leaving_needs_a_reason(advisor):
    visit = make_signed_visit(advisor, odometer_km=63208)
    visits.admit_visit(visit=visit, by=advisor)
    assert unchanged(visits.depart_visit, visit=visit, odometer_km=10, by=advisor).code == "vehicle.odometer_lower"
    gone = visits.depart_visit(visit=visit, odometer_km=10, odometer_reason="更换仪表", by=advisor)
    assert (gone.state, gone.odometer_out_km) == (VisitState.DEPARTED, 10)


def test_only_the_customer_rates_the_reception(advisor):
    visit = make_visit(advisor)
    assert unchanged(visits.rate_reception, uid=visit.uid, rating=5, by=advisor).code == "visit.rating_by_customer"
    assert unchanged(visits.rate_reception, uid=visit.uid, rating=5, by=as_customer(visit)).code == "visit.rating_early"
    visits.greet_visit(uid=visit.uid, by=advisor)
    assert visits.rate_reception(uid=visit.uid, rating=5, by=as_customer(visit)).rating == 5
    assert visits.rate_reception(uid=visit.uid, rating=4, by=as_customer(visit)).rating == 4
    assert [h.changed["rating"] for h in History.objects.filter(code="reception.visit.rated").order_by("id")] == [
        [None, 5],
        [5, 4],
    ]
    assert unchanged(visits.rate_reception, uid=visit.uid, rating=6, by=as_customer(visit)).code == "visit.rating"


def test_a_link_opens_its_own_visit_only(advisor):
    mine, other = make_received_visit(advisor), make_received_visit(advisor)
    with pytest.raises(Visit.DoesNotExist):
        visits.rate_reception(uid=other.uid, rating=1, by=as_customer(mine))


def test_looks_at_the_link_are_counted_and_the_first_is_written_down(advisor):
    with clock.moved_to(NOW):
        token = make_visit(advisor).link.token
        visits.view_link(token=token)
    with clock.moved_to(NOW + timedelta(hours=1)):
        link = visits.view_link(token=token)
    assert (link.views, link.first_viewed_at, link.last_viewed_at) == (2, NOW, NOW + timedelta(hours=1))
    assert History.objects.filter(code="reception.visit.link_opened").count() == 1


def test_an_unknown_or_expired_link_opens_nothing(advisor):
    with pytest.raises(VisitLink.DoesNotExist):
        visits.view_link(token="nobody-has-this")
    with clock.moved_to(NOW):
        token = make_visit(advisor).link.token
    with clock.moved_to(NOW + timedelta(days=90)), pytest.raises(VisitLink.DoesNotExist):
        visits.view_link(token=token)


def test_the_link_is_sent_to_who_brought_the_car(advisor):
    with clock.moved_to(NOW):
        visit = make_visit(advisor, contact_phone="13800138000")
        message = visits.send_link(uid=visit.uid, by=advisor)
        assert (message.channel, message.recipient, message.template) == ("SMS", "13800138000", "visit_link")
        assert f"/v/{visit.link.token}/" in message.body
        before = Message.objects.count()
        assert unchanged(visits.send_link, uid=visit.uid, by=advisor).code == "visit.link_again"
        assert Message.objects.count() == before
    with clock.moved_to(NOW + timedelta(minutes=2)):
        assert visits.send_link(uid=visit.uid, by=advisor).pk != message.pk
    assert History.objects.filter(code="reception.visit.link_sent").count() == 2


def test_a_photo_is_kept_without_what_the_camera_adds(store, advisor):
    visit = make_visit(advisor)
    photo = visits.add_photo(
        visit_uid=visit.uid, content=make_picture(kind="PNG"), name="IMG_1.png", place="左前", by=advisor
    )
    assert (photo.file.media_type, photo.place, photo.file.visit_uid) == ("image/jpeg", "左前", visit.uid)
    assert History.objects.get(code="reception.visit.photo_added").facts == {
        "photo": str(photo.uid),
        "sha256": photo.file.sha256,
    }


@pytest.mark.parametrize("content", [b"", b"<svg onload=alert(1)>", b"\xff\xd8\xff broken", b"%PDF-1.7"])
def test_what_is_no_picture_is_refused(advisor, content):
    visit = make_visit(advisor)
    refusal = unchanged(visits.add_photo, visit_uid=visit.uid, content=content, name="x.jpg", by=advisor)
    assert refusal.code == "file.kind"
    assert visit.photos.count() == 0


def test_an_ended_visit_is_not_changed(advisor):
    visit = make_visit(advisor)
    visits.leave_unserved(uid=visit.uid, reason="改天再来", by=advisor)
    for command, values in (
        (visits.give_key, {"key_tag": "07"}),
        (visits.lead_to_area, {"area": "LOUNGE"}),
        (visits.promise_visit, {"promised_at": clock.now() + timedelta(hours=1), "reason": "x"}),
    ):
        assert unchanged(command, uid=visit.uid, by=advisor, **values).code == "visit.ended"
    refusal = unchanged(visits.add_photo, visit_uid=visit.uid, content=make_picture(), name="x.jpg", by=advisor)
    assert refusal.code == "visit.ended"
