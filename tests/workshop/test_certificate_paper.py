"""竣工出厂合格证 on paper: two parts with the fields of domain 3.2, for staff and on the customer's link."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import translation

from dealership.kernel.saying import say_plate
from reception.models import Vehicle
from tests.factories.delivery import certify, make_ready, make_team
from workshop.documents import CertificatePaper, certificate_data, certificate_pdf
from workshop.selectors.inspections import read_certificate

pytestmark = pytest.mark.django_db
HOSTILE = '#panic("x") $ \\ ] #image("/etc/passwd") *_`'


def made_out():
    team = make_team()
    order = make_ready(team, category="ASSEMBLY")
    Vehicle.objects.filter(pk=order.vehicle_id).update(vehicle_type="小型轿车")
    order.vehicle.refresh_from_db()
    certificate = certify(order, team, category="ASSEMBLY", guarantee_days=100, guarantee_km=20000, odometer_km=50000)
    return team, order, certificate


def test_it_says_what_the_form_asks_for():
    team, order, certificate = made_out()
    paper = CertificatePaper(*read_certificate(certificate.uid, team.advisor))
    with translation.override("zh-hans"):
        data = certificate_data(paper)
    facts = dict(data["facts"])
    assert data["number"] == certificate.number
    assert data["parts"] == ["正联 · 托修方保存", "副联 · 承修方留存"]
    assert facts["托修方"] == order.customer.name
    assert facts["车牌（颜色）"] == f"{say_plate(order.vehicle.plate)} (蓝色)"
    assert facts["车辆类型"] == "小型轿车"
    assert facts["VIN"] == order.vehicle.vin
    assert facts["维修类别"] == "总成修理"
    assert facts["合同（工单）编号"] == order.number
    assert facts["出厂里程（公里）"] == "50,000"
    assert facts["出厂日期"] == ""  # the car hasn't left; the date is written by hand then
    assert "100 日或 20,000 公里" in data["guarantee"]
    Vehicle.objects.filter(pk=order.vehicle_id).update(vehicle_type="")
    paper = CertificatePaper(*read_certificate(certificate.uid, team.advisor))
    with translation.override("zh-hans"):
        assert dict(certificate_data(paper)["facts"])["车辆类型"] == "—"  # never said in another word's place
    assert data["inspector"][1] == team.people["inspector"].name


@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_it_is_one_sheet_and_hostile_text_is_set_as_text(language):
    team, order, certificate = made_out()
    order.customer.name = HOSTILE[:60]
    order.customer.save()
    with translation.override(language):
        made = certificate_pdf(CertificatePaper(*read_certificate(certificate.uid, team.advisor)))
    assert made.startswith(b"%PDF-")
    assert made.count(b"/Type /Page\n") + made.count(b"/Type/Page/") + made.count(b"/Type /Page ") <= 1
    assert len(made) > 10_000


def test_staff_and_the_customer_open_it_and_strangers_do_not():
    team, order, certificate = made_out()
    desk, customer = Client(), Client()
    desk.force_login(team.advisor.user)
    page = reverse("certificate-pdf", args=[certificate.uid])
    own = reverse("visit-link-certificate-pdf", args=[order.visit.link.token, certificate.uid])
    assert desk.get(page).content.startswith(b"%PDF-")
    assert page in desk.get(reverse("order-detail", args=[order.uid])).content.decode()
    assert customer.get(own).content.startswith(b"%PDF-")
    assert own in customer.get(reverse("visit-link", args=[order.visit.link.token])).content.decode()
    assert customer.get(page).status_code == 302
    other = make_ready(team)
    foreign = reverse("visit-link-certificate-pdf", args=[other.visit.link.token, certificate.uid])
    assert customer.get(foreign).status_code == 404
