"""3.2: a technician photographs the agreed job on the phone; advisor, customer and a claim to the maker see the pictures."""

from __future__ import annotations

from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from tests.factories.floor import clock_at, make_agreed, make_floor
from tests.factories.reception import make_picture
from tests.workshop.test_floor_pages import client_of
from workshop.models import LinePhoto

pytestmark = pytest.mark.django_db


def test_the_technician_photographs_the_agreed_job():
    with clock_at(9):
        floor = make_floor()
        worker = floor.technician("高试工")
        _order, [line] = make_agreed(floor, "BR-10")
        floor.give(line, worker)
        phone = client_of(worker)
        page = reverse("job-photos", args=[line.uid])
        assert page in phone.get(reverse("my-jobs")).content.decode()
        empty = phone.post(page, {"form_token": uuid4()})
        assert (empty.status_code, LinePhoto.objects.count()) == (422, 0)
        assert "Choose or take a photo first" in empty.content.decode()
        files = [SimpleUploadedFile(f"{n}.jpg", make_picture(), content_type="image/jpeg") for n in range(2)]
        sent = phone.post(page, {"form_token": uuid4(), "photos": files})
        assert (sent.status_code, sent["Location"].split("?")[0]) == (302, reverse("my-jobs"))
        kept = LinePhoto.objects.filter(line=line)
        assert kept.count() == 2
        shown = phone.get(page).content.decode()
        assert all(reverse("line-photo", args=[photo.uid]) in shown for photo in kept)
        assert phone.get(reverse("line-photo", args=[kept[0].uid])).status_code == 200
        bad = SimpleUploadedFile("x.jpg", b"no picture", content_type="image/jpeg")
        good = SimpleUploadedFile("y.jpg", make_picture(), content_type="image/jpeg")
        assert phone.post(page, {"form_token": uuid4(), "photos": [good, bad]}).status_code == 422
        assert kept.count() == 2  # all or none
