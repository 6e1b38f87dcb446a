"""The first store and the first log-in of a real dealership, once, with the code that the start printed (1.2, 7.1)."""

from __future__ import annotations

import hmac
import secrets
from datetime import time
from decimal import Decimal
from pathlib import Path

from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.utils.translation import gettext_lazy as _

from dealership.catalogue.models import BayCapability, PayType, ResourceKind
from dealership.catalogue.services.prices import set_labor_rate
from dealership.catalogue.services.resources import add_resource
from dealership.kernel import clock
from dealership.kernel.actors import machine
from dealership.kernel.errors import RuleError
from dealership.kernel.models import Store, User
from dealership.kernel.stores import open_store, set_opening_hours
from staff.services import employees, rosters

CODE_FILE = "setup-code"
DEPARTMENTS = {
    "SERVICE": "客户服务部",
    "REPAIR": "维修部",
    "TECH": "技术部",
    "PARTS": "备件部",
    "FINANCE": "财务部",
    "QUALITY": "质量监督部",
    "HR": "培训与人事部",
    "MANAGEMENT": "管理层",
}
FIRST_POSTS = ("admin", "hr", "manager")


def is_open() -> bool:
    """Whether nobody can sign in yet; from the first log-in on the set-up page is not there."""
    return not User.objects.exists()


def code_path() -> Path:
    return Path(settings.VAR_DIR) / CODE_FILE


def printed_code() -> str:
    """The one-time code: ``SETUP_CODE`` where several machines share one, else made once and kept in ``VAR_DIR``."""
    if settings.SETUP_CODE:
        return settings.SETUP_CODE
    path = code_path()
    if not path.exists():
        path.touch(mode=0o600)
        path.write_text("-".join(secrets.token_hex(2) for _part in range(4)))
    return path.read_text().strip()


@transaction.atomic
def begin(
    *,
    setup_code: str,
    store_code: str,
    store_name: str,
    brand: str,
    person_name: str,
    username: str,
    password: str,
    opens: time,
    closes: time,
    break_from: time | None = None,
    break_to: time | None = None,
    bays: int = 0,
    labor_rate: Decimal | None = None,
    company: str = "",
    address: str = "",
    phone: str = "",
) -> Store:
    """Opens the first store with its hours, departments, one shift, bays and hour's price, and hires the first person.

    The person gets the posts of IT, HR and service manager and gives everybody else theirs. Times are store time,
    ``labor_rate`` is CNY an hour with VAT. Raises RuleError "setup.over" once anybody can sign in, "setup.code" for
    another code than the printed one, and what the commands it stands on refuse; a refusal changes nothing.
    """
    with connection.cursor() as cursor:  # two people at once: the second one waits and finds it done
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('dealership set-up'))")
    if not is_open():
        raise RuleError("setup.over", _("Somebody has set this system up already; sign in instead."))
    if not hmac.compare_digest(setup_code.strip().lower().encode(), printed_code().lower().encode()):
        raise RuleError(
            "setup.code",
            _("This isn't the code. It was printed at the start and stands in the file “%(file)s” of VAR_DIR."),
            field="setup_code",
            file=CODE_FILE,
        )
    try:
        validate_password(password, User(username=username, name=person_name))
    except ValidationError as exc:
        raise RuleError("login.refused", " ".join(exc.messages), field="password") from exc
    by = machine("setup")
    store = open_store(
        code=store_code.strip().upper(),
        name=store_name,
        brand=brand,
        company=company.strip(),
        address=address.strip(),
        phone=phone.strip(),
        by=by,
    )
    for weekday in range(7):
        set_opening_hours(
            store=store,
            weekday=weekday,
            opens=opens,
            closes=closes,
            break_from=break_from,
            break_to=break_to,
            by=by,
        )
    for department, name in DEPARTMENTS.items():
        employees.open_department(store=store, code=department, name=name, by=by)
    rosters.define_shift(
        store=store,
        code="A",
        name="白班",
        starts=opens,
        ends=closes,
        break_from=break_from,
        break_to=break_to,
        by=by,
    )
    for number in range(1, bays + 1):
        add_resource(
            store=store,
            kind=ResourceKind.BAY,
            code=str(number),
            name=f"{number} 号工位",
            name_en=f"Bay {number}",
            capability=BayCapability.STANDARD_LIFT,
            position=number,
            by=by,
        )
    today = clock.today(store.time_zone)
    if labor_rate is not None:
        for pay_type in PayType.values:
            set_labor_rate(store=store, pay_type=pay_type, rate=labor_rate, starts_on=today, by=by)
    person = employees.hire_employee(
        store=store,
        department_code="MANAGEMENT",
        name=person_name,
        number=f"{store.code}001",
        hired_on=today,
        by=by,
    )
    for post in FIRST_POSTS:
        employees.give_post(employee_uid=person.uid, post_code=post, starts_on=today, by=by)
    employees.give_login(employee_uid=person.uid, username=username, password=password, by=by)
    transaction.on_commit(lambda: code_path().unlink(missing_ok=True))
    return store
