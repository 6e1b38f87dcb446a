"""What the kill test does to the system: prepares a store, then lets cars leave and bookings come near.

``python -m tests.reliability.causes prepare`` prints the API client as JSON; ``… run`` makes causes through the
commands until its input is closed; ``… again`` asks once more for every effect. A cause that the database refuses to
take (it is being killed) is made again later.
"""

from __future__ import annotations

import json
import os
import random
import select
import sys
import time
from datetime import timedelta
from typing import Any

STORE = "KILL"
MAIL, TEXT = "EMAIL", "SMS"
MOST_OWED = 120  # a slow machine gets causes as fast as it works their effects off


def prepare() -> dict[str, str]:
    from dealership.kernel import clock
    from dealership.kernel.models import Setting
    from tests.factories.api import make_credentials
    from tests.factories.delivery import make_team
    from tests.factories.kernel import make_store

    store = make_store(STORE, name="测试店")
    make_team(store)
    numbers = {
        "delivery.survey_day": 0,  # the survey is due as the car leaves
        "reception.quiet_from": "00:00",  # no quiet hours: the test runs at any hour
        "reception.quiet_to": "00:00",
        "exchange.api_requests_per_minute": 1_000_000,
    }
    for key, value in numbers.items():
        Setting.objects.create(key=key, value=value, starts_on=clock.today() - timedelta(days=2))
    made = make_credentials("reception:write", stores=[store])
    return {"client_id": made.client_id, "client_secret": made.client_secret}


class Causes:
    def __init__(self, seed: int) -> None:
        from dealership.kernel.models import Store, User
        from dealership.kernel.services import actor_of
        from staff.models import Employee

        self.random = random.Random(seed)
        self.store = Store.objects.get(code=STORE)
        people = list(Employee.objects.filter(store=self.store).select_related("user"))
        self.team: Any = type("Team", (), {"store": self.store, "people": {}})
        for employee in people:
            user = User.objects.get(pk=employee.user_id)
            for grant in user.role_grants.all():
                self.team.people[grant.role] = employee
                setattr(self.team, grant.role, actor_of(user, self.store))
        self.number = int(time.time() * 1000) % 10_000_000

    def customer(self) -> Any:
        from tests.factories.reception import make_customer

        self.number += 1
        way = self.random.choice([MAIL, TEXT])
        values = {"channel": way} | ({"email": f"c{self.number}@customer.example"} if way == MAIL else {})
        return make_customer(phone=f"137{self.number:08d}"[:11], **values)

    def vehicle(self, owner: Any) -> Any:
        from tests.factories.reception import make_vehicle, make_vin

        self.number += 1
        plate = f"京C{self.number % 100_000:05d}"
        return make_vehicle(owner_uid=owner.uid, plate=plate, vin=make_vin(self.number))

    def departure(self) -> None:
        """A finished car is settled, paid, handed over and drives out; made in one go or not at all."""
        from django.db import transaction

        from delivery.services.handovers import hand_over, issue_gate_pass, scan_out
        from delivery.services.payments import take_payment
        from delivery.services.settlements import issue_settlement, sign_settlement
        from tests.factories import delivery

        with transaction.atomic():
            owner = self.customer()
            visit = delivery.make_visit(self.team, customer=owner, vehicle=self.vehicle(owner))
            order = delivery.make_order(visit, self.team)
            line = delivery.add_line(order)
            for step in ("IN_PROGRESS", "COMPLETED", "INSPECTED"):
                line.state = step
                line.save()
            delivery.inspect(order, self.team)
            settlement = issue_settlement(order_uid=order.uid, by=self.team.advisor)
            sign_settlement(uid=settlement.uid, signed_name="李送修", by=self.team.advisor)
            take_payment(settlement_uid=settlement.uid, method="CASH", amount=settlement.total, by=self.team.cashier)
            hand_over(
                visit_uid=visit.uid,
                checklist=delivery.CHECKED,
                odometer_km=50_010,
                received_by="李送修",
                by=self.team.advisor,
            )
            gate_pass = issue_gate_pass(visit_uid=visit.uid, kind="DELIVERED", by=self.team.advisor)
            scan_out(code=gate_pass.code, by=self.team.receptionist)

    def booking(self) -> None:
        """A booking whose reminder of the day before is due now."""
        from django.db import transaction

        from dealership.kernel import clock
        from reception.models import Appointment

        with transaction.atomic():
            owner = self.customer()
            Appointment.objects.create(
                store=self.store,
                number=f"A-KILL-{os.getpid()}-{self.number}",
                customer=owner,
                vehicle=self.vehicle(owner),
                contact_name="李送修",
                contact_phone=owner.phone,
                starts_at=clock.now() + timedelta(hours=20),
                concern="保养",
                state="CONFIRMED",
                created_at=clock.now() - timedelta(days=3),
            )


def say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def run(seed: int) -> None:
    from django.db import Error, close_old_connections, connection

    from dealership.kernel.models import Outbox

    causes: Causes | None = None
    while not select.select([sys.stdin], [], [], 0.15)[0]:
        try:
            causes = causes or Causes(seed)
            if Outbox.objects.filter(state="DUE").count() > MOST_OWED:
                continue
            if causes.random.random() < 0.7:
                causes.departure()
            else:
                causes.booking()
            say("made")
        except Error as error:
            say(f"not made: {type(error).__name__}")
            connection.close()
            close_old_connections()


def again() -> None:
    """Every effect is asked for once more, as a message that is delivered a second time asks for it."""
    from compliance.services.archives import archive_order
    from dealership.kernel.actors import machine
    from dealership.kernel.models import Store
    from delivery.services.followups import plan_follow_up, send_survey
    from reception.models import Appointment, Visit
    from reception.services.appointments import remind_customer
    from workshop.models import RepairOrder

    store = Store.objects.get(code=STORE)
    by = machine("again", store_id=store.pk)
    for visit in Visit.objects.filter(store=store, state="DEPARTED").order_by("pk"):
        send_survey(visit_uid=visit.uid, by=by)
        plan_follow_up(visit_uid=visit.uid, by=by)
    for order in RepairOrder.objects.filter(store=store, closed_at__isnull=False).order_by("pk"):
        archive_order(order_uid=order.uid, by=by)
    for appointment in Appointment.objects.filter(store=store).order_by("pk"):
        remind_customer(uid=appointment.uid, by=by)


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dealership.settings")
    import django

    django.setup()
    if sys.argv[1] == "prepare":
        say(json.dumps(prepare()))
    elif sys.argv[1] == "again":
        again()
    else:
        run(int(sys.argv[2]))


if __name__ == "__main__":
    main()
