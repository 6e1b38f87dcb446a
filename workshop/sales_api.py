"""Resources of the sale over the counter (3.2)."""

from __future__ import annotations

from dealership.kernel.api.resources import Action, Command, Filter, Many, Resource, register
from dealership.kernel.api.shapes import Choice, ListOf, Moment, Money, Number, Text, Uid
from workshop import permissions
from workshop.models import CounterSale, ReturnCondition, SaleLine, SaleReturn, SaleState
from workshop.services import sales

register(
    Resource(
        path="counter-sales",
        name="CounterSale",
        room="workshop",
        model=CounterSale,
        view=permissions.SALES_VIEW,
        help="Parts sold over the counter without a car; anonymous without a customer (3.2).",
        state="state",
        shape={
            "number": Text(),
            "customer_uid": Uid(source="customer__uid", null=True),
            "state": Choice(choices=SaleState),
            "discount": Money(),
            "discount_reason": Text(),
            "total": Money(help="What is paid: the parts less the discount, and core_total beside them; CNY with VAT."),
            "core_total": Money(help="Of total, the core charges: a deposit, given back when the old parts come in."),
            "returned_total": Money(help="Given back for what came back."),
            "begun_at": Moment(),
            "sold_at": Moment(null=True),
            "lines": Many(
                rows=lambda: SaleLine.objects.order_by("id"),
                by="sale_id",
                fields={
                    "sale_line_uid": Uid(source="uid"),
                    "part_uid": Uid(source="part__uid"),
                    "quantity": Number(2),
                    "unit_price": Money(),
                    "amount": Money(),
                    "core_amount": Money(help="Core charge of the line beside its amount."),
                    "returned": Number(2),
                    "lot_codes": ListOf(inner=Text()),
                    "reason": Text(help="Why a high-voltage or traced part goes over the counter."),
                },
            ),
        },
        filters={
            "state": Filter(field=Choice(choices=SaleState), lookup="state"),
            "number": Filter(field=Text(30, min=1), lookup="number"),
        },
        create=Command(
            run=sales.begin_sale,
            permission=permissions.SALES_SELL,
            input={"customer_uid": Uid(optional=True, null=True)},
            help="Begin a sale",
        ),
        actions=(
            Action(
                verb="put",
                run=sales.put_on_sale,
                permission=permissions.SALES_SELL,
                when={SaleState.DRAFT},
                input={
                    "code": Text(60, min=1, help="Part number, or the batch or serial number of a traced part."),
                    "quantity": Number(2, digits=6, optional=True, help="Left out: one."),
                    "reason": Text(120, optional=True, help="Needed for a high-voltage or traced part."),
                },
                help="Put a part on the sale, or more of it",
            ),
            Action(
                verb="change",
                run=sales.change_sale,
                permission=permissions.SALES_SELL,
                when={SaleState.DRAFT},
                input={
                    "customer_uid": Uid(optional=True, null=True),
                    "discount": Money(optional=True),
                    "reason": Text(120, optional=True),
                },
                help="Say who buys, and the discount within the limit of the post",
            ),
            Action(
                verb="sell",
                run=sales.sell,
                permission=permissions.SALES_SELL,
                when={SaleState.DRAFT},
                help="The parts leave the shelf; the cashier takes the money",
            ),
            Action(
                verb="drop",
                run=sales.drop_sale,
                permission=permissions.SALES_SELL,
                when={SaleState.DRAFT},
                help="It comes to nothing",
            ),
        ),
    )
)

register(
    Resource(
        path="sale-returns",
        name="SaleReturn",
        room="workshop",
        model=SaleReturn,
        view=permissions.SALES_VIEW,
        help="Something sold over the counter came back; unopened it is stock again (3.2).",
        lock_first=("line__sale", "line"),
        shape={
            "sale_line_uid": Uid(source="line__uid"),
            "counter_sale_uid": Uid(source="line__sale__uid"),
            "condition": Choice(choices=ReturnCondition),
            "quantity": Number(2),
            "amount": Money(help="To be given back."),
            "reason": Text(),
            "at": Moment(),
        },
        filters={"counter_sale_uid": Filter(field=Uid(), lookup="line__sale__uid")},
        create=Command(
            run=sales.take_back_sold,
            permission=permissions.SALES_RETURN,
            input={
                "sale_line_uid": Uid(source="line_uid"),
                "quantity": Number(2, digits=6),
                "reason": Text(120, min=1),
                "condition": Choice(choices=ReturnCondition, optional=True),
                "lot": Text(40, optional=True),
            },
            help="Take back what was sold",
        ),
    )
)
