"""The register of suppliers (3.2). The store's row is locked while a name is entered, so that each is there once."""

from __future__ import annotations

from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from dealership.kernel.actors import Actor
from dealership.kernel.errors import RaceLost, RuleError
from dealership.kernel.formats import clean_phone, clean_uscc, one_line
from dealership.kernel.history import record
from dealership.kernel.models import Store
from workshop import events, permissions
from workshop.supplier_models import Supplier, SupplierKind

FACTS = ("name", "kind", "contact", "phone", "tax_number", "lead_days", "active")


def _checked_facts(
    *, name: str, kind: str, contact: str, phone: str, tax_number: str, lead_days: int | None
) -> dict[str, object]:
    name, contact = one_line(name)[:80], one_line(contact)[:60]
    if not name:
        raise RuleError("supplier.name", _("Name the supplier."), field="name")
    if kind not in SupplierKind.values:
        raise RuleError("supplier.kind", _("Say whether it sells parts, outside work or both."), field="kind")
    if lead_days is not None and not 0 <= lead_days <= 365:
        raise RuleError("supplier.lead_days", _("Give 0 to 365 days, or leave it empty."), field="lead_days")
    return {
        "name": name, "kind": kind, "contact": contact, "lead_days": lead_days,
        "phone": clean_phone(phone) if phone.strip() else "",
        "tax_number": clean_uscc(tax_number) if tax_number.strip() else "",
    }  # fmt: skip


def _refuse_twice(store_id: int, name: str, *, but: int | None = None) -> None:
    if Supplier.objects.filter(store_id=store_id, name__iexact=name).exclude(pk=but).exists():
        raise RaceLost("supplier.twice", _("The register has a supplier of this name already."), field="name")


def _write_supplier(store_id: int, facts: dict[str, object], by: Actor) -> Supplier:
    supplier = Supplier.objects.create(store_id=store_id, **facts)
    record(supplier, events.SUPPLIER_ENTERED, by=by, kind=supplier.kind)
    return supplier


@transaction.atomic
def enter_supplier(
    *,
    name: str,
    kind: str,
    by: Actor,
    contact: str = "",
    phone: str = "",
    tax_number: str = "",
    lead_days: int | None = None,
) -> Supplier:
    """3.2: one more supplier of the actor's store; ``lead_days`` from the order to the delivery, where known.

    Raises RuleError ``supplier.name``, ``supplier.kind``, ``supplier.lead_days``, ``supplier.twice`` and ValidationError for
    a telephone or tax number of a wrong form.
    """
    by.require(permissions.SUPPLIERS_MANAGE)
    facts = _checked_facts(
        name=name, kind=kind, contact=contact, phone=phone, tax_number=tax_number, lead_days=lead_days
    )
    store = Store.objects.select_for_update(no_key=True).get(pk=by.store_id)
    _refuse_twice(store.pk, str(facts["name"]))
    return _write_supplier(store.pk, facts, by)


@transaction.atomic
def correct_supplier(
    *,
    uid: UUID,
    name: str,
    kind: str,
    by: Actor,
    contact: str = "",
    phone: str = "",
    tax_number: str = "",
    lead_days: int | None = None,
    active: bool = True,
) -> Supplier:
    """Writes a supplier's facts as they are now; papers keep the name under which they were written.

    Refusals as ``enter_supplier``.
    """
    by.require(permissions.SUPPLIERS_MANAGE)
    facts = _checked_facts(
        name=name, kind=kind, contact=contact, phone=phone, tax_number=tax_number, lead_days=lead_days
    ) | {"active": active}  # fmt: skip
    store_id = Supplier.objects.for_actor(by).values_list("store_id", flat=True).get(uid=uid)
    Store.objects.select_for_update(no_key=True).get(pk=store_id)
    supplier = Supplier.objects.locked().get(uid=uid)
    _refuse_twice(store_id, str(facts["name"]), but=supplier.pk)
    other = [field for field in FACTS if getattr(supplier, field) != facts[field]]
    if not other:
        return supplier
    told = {
        field: (getattr(supplier, field), facts[field]) for field in other if field in ("kind", "lead_days", "active")
    }
    for field in other:
        setattr(supplier, field, facts[field])
    supplier.save(update_fields=other)
    record(supplier, events.SUPPLIER_CORRECTED, by=by, changed=told, fields=other)
    return supplier


def named_supplier(*, store: Store, name: str, kind: SupplierKind, by: Actor) -> Supplier:
    """The firm that a purchase (PARTS) or outside work (WORK) names; one that the register hasn't is entered with it.

    Within the command that orders. Raises RuleError ``supplier.inactive``, ``supplier.other_kind`` and, for whoever may not
    enter suppliers, ``supplier.unknown``.
    """
    name = one_line(name)[:80]
    fits = Supplier.objects.filter(store=store, name__iexact=name).order_by("id")
    found = fits.filter(name=name).first() or fits.first()
    if found is None:
        if not by.may(permissions.SUPPLIERS_MANAGE):
            raise RuleError(
                "supplier.unknown",
                _("The register has no supplier of this name; have it entered first."),
                field="supplier",
            )
        Store.objects.select_for_update(no_key=True).get(pk=store.pk)
        found = fits.first()  # somebody may have entered it meanwhile
    if found is None:
        facts = _checked_facts(name=name, kind=kind, contact="", phone="", tax_number="", lead_days=None)
        return _write_supplier(store.pk, facts, by)
    if not found.active:
        raise RuleError(
            "supplier.inactive", _("This supplier is no longer used; choose another one or put its entry right."),
            field="supplier",
        )  # fmt: skip
    if found.kind not in (kind, SupplierKind.BOTH):
        raise RuleError(
            "supplier.other_kind", _("This firm doesn't sell that; put its kind right in the register first."),
            field="supplier",
        )  # fmt: skip
    return found
