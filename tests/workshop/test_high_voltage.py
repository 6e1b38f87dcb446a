"""Shown by 3: work at a high-voltage system, from the plan to done: two certified people and tested gloves (3.4, 8.1)."""

from __future__ import annotations

from datetime import date
from uuid import uuid4

import pytest

from dealership.kernel import clock
from staff.models import EmployeeSkill
from tests.factories.floor import at, make_agreed
from tests.workshop.test_floor_pages import client_of, english
from tests.workshop.test_tools import Crib
from workshop.models import Clocking, Dispatch, ToolIssue


@pytest.mark.django_db
def test_a_high_voltage_job_needs_two_certified_people_and_tested_gloves():
    with clock.moved_to(at(9)):
        crib = Crib()
        floor = crib.floor
        lead, second = floor.technician("高压甲", hv=4), floor.technician("高压乙", hv=4)
        foreman = client_of(floor.hire("foreman", name="派试长"))
        _order, [line] = make_agreed(floor, "HV-10")
        gloves = [crib.tool("GLOVES", name="绝缘手套"), crib.tool("GLOVES", name="绝缘手套", tested=0)]

        # Two people, both with a certificate that holds that day.
        plan = {"technician": lead.uid, "bay": floor.bays["4"].uid, "starts_at": "2026-11-24T09:10"}
        alone = foreman.post(f"/plan/lines/{line.uid}/", plan | {"form_token": uuid4()})
        assert (alone.status_code, Dispatch.objects.count()) == (422, 0)
        assert "two" in alone.content.decode()
        with_second = plan | {"second": second.uid}
        EmployeeSkill.objects.filter(employee=second, skill__code="hv").update(valid_until=date(2026, 11, 23))
        late = foreman.post(f"/plan/lines/{line.uid}/", with_second | {"form_token": uuid4()})
        assert (late.status_code, Dispatch.objects.count()) == (422, 0)
        EmployeeSkill.objects.filter(employee=second, skill__code="hv").update(valid_until=date(2026, 11, 24))
        assert (
            foreman.post(f"/plan/lines/{line.uid}/", with_second | {"form_token": uuid4()}).status_code,
            Dispatch.objects.filter(live=True).count(),
        ) == (302, 2)

        # Gloves: none, then a pair that was never tested, then one in date.
        phone, other = client_of(lead), client_of(second)
        assert "insulating gloves in date" in english(phone, "/my-jobs/")
        start = f"/my-jobs/{line.uid}/clock-on/"
        assert "insulating gloves" in phone.post(start, follow=True).content.decode()
        phone.post(f"/tools/{gloves[0].uid}/take/", {"form_token": uuid4()})
        assert (ToolIssue.objects.count(), Clocking.objects.count()) == (0, 0)
        phone.post(f"/tools/{gloves[1].uid}/take/", {"form_token": uuid4()})
        assert ToolIssue.objects.get().employee_id == lead.pk
        assert "insulating gloves in date" not in english(phone, "/my-jobs/")
        phone.post(start)
        assert Clocking.objects.count() == 0
        # Looked at and tested with air by who wears them.
        assert "Look at the gloves" in english(phone, "/my-jobs/")
        phone.post(f"/tools/{gloves[1].uid}/look/", {"form_token": uuid4()})
        assert "Look at the gloves" not in english(phone, "/my-jobs/")
        assert phone.post(start).status_code == 302
        assert Clocking.objects.get().employee_id == lead.pk
        # The second person's hands are not the first one's.
        other.post(start)
        assert Clocking.objects.count() == 1
        crib.test(gloves[0])
        other.post(f"/tools/{gloves[0].uid}/take/", {"form_token": uuid4()})
        other.post(f"/tools/{gloves[0].uid}/look/", {"form_token": uuid4()})
        other.post(start)
        assert set(Clocking.objects.values_list("employee__name", flat=True)) == {"高压甲", "高压乙"}
    with clock.moved_to(at(10)):
        done = {"cause": "绝缘电阻 620 Ω/V", "correction": "紧固搭铁", "form_token": uuid4()}
        assert phone.post(f"/my-jobs/{line.uid}/finish/", done).status_code == 302
        line.refresh_from_db()
        assert (line.state, line.clockings.filter(ended_at__isnull=True).count()) == ("COMPLETED", 0)
