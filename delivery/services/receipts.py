"""What taking and giving back money have in common, on lists and in advance: the amount as written, the numbered row."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, TypeVar

from django.utils.translation import gettext_lazy as _

from dealership.kernel import clock, numbering
from dealership.kernel.actors import Actor
from dealership.kernel.errors import RuleError
from dealership.kernel.history import record
from dealership.kernel.models import Store
from dealership.kernel.money import round_money

from ..models import MONEY, CorePayout, Deposit, Payment, SalePayment

Row = TypeVar("Row", Payment, Deposit, SalePayment, CorePayout)


def read_amount(amount: Decimal, code: str) -> Decimal:
    """A positive amount in yuan. Raises RuleError ``code`` for anything else."""
    if amount <= 0 or round_money(amount) != amount:
        raise RuleError(code, _("Write a positive amount in yuan with at most two places."), field="amount")
    return round_money(amount)


def require_method(method: str) -> None:
    """Raises RuleError ``payment.method`` for what isn't money in hand or on the account."""
    if method not in MONEY:
        raise RuleError("payment.method", _("Choose how it is paid."), field="method")


def write_receipt(
    model: type[Row], series: str, event: str, *, store: Store, by: Actor, told: dict[str, Any], **columns: Any
) -> Row:
    """The numbered row (CNY, negative what is given back) and its line of history; ``told`` are further facts of it.

    The caller holds the locks; the number is taken last.
    """
    row: Row = model.objects.create(
        store=store, number=numbering.next_number(store, series), cashier=by.user, at=clock.now(), **columns
    )
    record(row, event, by=by, number=row.number, method=row.method, amount=row.amount, **told)
    return row
