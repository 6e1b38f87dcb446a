"""The suppliers' register over the API (3.2)."""

from __future__ import annotations

from dealership.kernel.api.masking import mask_name, mask_phone
from dealership.kernel.api.resources import Command, Filter, Resource, register
from dealership.kernel.api.shapes import Choice, Flag, Text, Whole
from workshop import permissions
from workshop.services import suppliers
from workshop.supplier_models import Supplier, SupplierKind

_INPUT = {
    "name": Text(80, min=1),
    "kind": Choice(choices=SupplierKind),
    "contact": Text(60, optional=True),
    "phone": Text(30, optional=True),
    "tax_number": Text(20, optional=True, help="Unified social credit code."),
    "lead_days": Whole(least=0, most=365, optional=True, null=True, help="Days from the order to the delivery."),
}
register(
    Resource(
        path="suppliers",
        name="Supplier",
        room="workshop",
        model=Supplier,
        view=permissions.SUPPLIERS_VIEW,
        help="A firm that the store buys parts or outside work from; papers keep the name they were written under (3.2).",
        shape={
            "name": Text(),
            "kind": Choice(choices=SupplierKind),
            "contact": Text(mask=mask_name),
            "phone": Text(mask=mask_phone),
            "tax_number": Text(),
            "lead_days": Whole(null=True),
            "active": Flag(),
        },
        filters={
            "kind": Filter(field=Choice(choices=SupplierKind), lookup="kind"),
            "name": Filter(field=Text(80, min=1), lookup="name"),
            "active": Filter(field=Flag(), lookup="active"),
        },
        create=Command(
            run=suppliers.enter_supplier,
            permission=permissions.SUPPLIERS_MANAGE,
            input=_INPUT,
            help="Enter a supplier",
        ),
        update=Command(
            run=suppliers.correct_supplier,
            permission=permissions.SUPPLIERS_MANAGE,
            input=_INPUT | {"active": Flag(optional=True, help="False: it is chosen no more.")},
            help="Write a supplier's facts as they are now",
        ),
    )
)
