"""Resources of the kernel and of chapter 7 itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models import F, QuerySet
from django.utils.translation import gettext as _

from dealership.exchange import permissions as ours
from dealership.exchange.models import ImportAction, ImportBatch, ImportState
from dealership.exchange.selectors import imports as reads
from dealership.exchange.services import imports
from dealership.kernel import permissions, services
from dealership.kernel.actors import Actor
from dealership.kernel.api import masking
from dealership.kernel.api.problems import Problem
from dealership.kernel.api.resources import (
    Action,
    Command,
    Filter,
    Listing,
    Resource,
    While,
    register,
    register_listing,
)
from dealership.kernel.api.shapes import Bytes, Choice, Facts, Flag, ListOf, Moment, Money, Nested, Text, Uid, Whole
from dealership.kernel.errors import RuleError
from dealership.kernel.models import Approval, ApprovalState, Message, MessageChannel, MessageState
from delivery.permissions import GOODWILL_ASK
from delivery.services.settlements import ask_goodwill

register(
    Resource(
        path="messages",
        name="Message",
        room="kernel",
        model=Message,
        view=permissions.MESSAGES_VIEW,
        help="Messages to customers and staff: what was sent, when, and why not (1.3).",
        shape={
            "channel": Choice(choices=MessageChannel),
            "recipient": Text(mask=masking.mask_phone),
            "recipient_name": Text(mask=masking.mask_name),
            "template": Text(),
            "language": Text(),
            "state": Choice(choices=MessageState),
            "attempts": Whole(),
            "reason": Text(mask=masking.mask_text),
            "sent_at": Moment(null=True),
            "not_before": Moment(null=True, help="The quiet hours of the customer end then (2.3)."),
            "visit_uid": Uid(null=True),
        },
        filters={
            "state": Filter(field=Choice(choices=MessageState), lookup="state"),
            "visit_uid": Filter(field=Uid(), lookup="visit_uid"),
        },
    )
)


def _approvals(by: Actor) -> QuerySet[Approval]:
    """Those of the store; a person who doesn't decide sees the own requests."""
    rows = Approval.objects.for_actor(by)
    own = by.user is not None and not by.may(permissions.APPROVALS_DECIDE)
    return rows.filter(asked_by=by.user) if own else rows


register(
    Resource(
        path="approvals",
        name="Approval",
        room="kernel",
        model=Approval,
        view=(permissions.APPROVALS_VIEW, permissions.APPROVALS_DECIDE),
        rows=_approvals,
        help="Decisions asked of whoever may decide: discount, goodwill, unpaid exit (1.2). Who asks never decides.",
        state="state",
        shape={
            "kind": Text(),
            "state": Choice(choices=ApprovalState),
            "amount": Money(null=True),
            "reason": Text(mask=masking.mask_text),
            "answer": Text(mask=masking.mask_text),
            "subject_type": Text(source="root_type"),
            "subject_uid": Uid(source="root_uid"),
            "visit_uid": Uid(null=True),
            "decided_at": Moment(null=True),
        },
        filters={
            "state": Filter(field=Choice(choices=ApprovalState), lookup="state"),
            "visit_uid": Filter(field=Uid(), lookup="visit_uid"),
            "subject_uid": Filter(field=Uid(), lookup="root_uid"),
        },
        create=Command(
            run=ask_goodwill,
            permission=GOODWILL_ASK,
            input={
                "repair_order_uid": Uid(source="order_uid"),
                "amount": Money(),
                "reason": Text(300, min=1),
            },
            help="Ask that a part of an order's bill is waived; discounts and unpaid exits are asked where they arise",
        ),
        actions=(
            Action(
                verb="decide",
                run=services.decide_approval,
                permission=permissions.APPROVALS_DECIDE,
                when={ApprovalState.ASKED},
                input={"approve": Flag(), "answer": Text(300, optional=True)},
                help="Approve or refuse; what was asked for follows by itself",
            ),
            Action(
                verb="withdraw",
                run=services.withdraw_approval,
                permission=permissions.APPROVALS_VIEW,
                when={ApprovalState.ASKED},
                help="Take the request back; only who asked",
            ),
        ),
    )
)


# --- imports (7.2) ---
OF_SUMMARY = ("counts", "will", "written", "undone", "undo_by", "undo_refused", "emptied_at")


def _imports(by: Actor) -> QuerySet[ImportBatch]:
    return ImportBatch.objects.for_actor(by).annotate(**{f"said_{key}": F(f"summary__{key}") for key in OF_SUMMARY})


@dataclass(frozen=True)
class Counts(Facts):
    """Numbers by name; none of them before there are any."""

    def show(self, value: Any) -> Any:
        return value or {}


@dataclass(frozen=True)
class Problems(Text):
    """Why an import failed, in the reader's language."""

    def show(self, value: Any) -> Any:
        return str(reads.problem_of(value)) if value else ""


@dataclass(frozen=True)
class Present(Flag):
    def show(self, value: Any) -> Any:
        return bool(value)


def _upload(*, content: bytes, file_name: str, by: Actor) -> ImportBatch:
    try:
        return imports.upload_import(content=content, file_name=file_name, by=by)
    except RuleError as refusal:
        refusal.field = "content"
        raise


register(
    Resource(
        path="imports",
        name="Import",
        room="exchange",
        model=ImportBatch,
        view=ours.IMPORTS_VIEW,
        rows=_imports,
        help="Customers and vehicles from a file: uploaded, read, previewed, written after its confirmation, taken back "
        "(7.2). Reading, writing and taking back run in the background: read the item until its state moves.",
        state="state",
        shape={
            "file_name": Text(),
            "sha256": Text(help="Of the file as it came."),
            "state": Choice(choices=ImportState),
            "total": Whole(help="Rows of the file."),
            "done": Whole(help="Rows written so far."),
            "counts": Counts(source="said_counts", help="Rows by what becomes of them: CREATE, MATCH, UPDATE, REFUSE."),
            "will": Counts(
                source="said_will", help="What the preview would write: customers, vehicles, ownerships, added."
            ),
            "written": Counts(source="said_written", help="What was written, in the same words."),
            "undone": Counts(source="said_undone", help="What was taken back; kept: rows that were used since."),
            "undoing": Present(source="said_undo_by", help="It is being taken back, or was."),
            "undo_refused": Text(source="said_undo_refused", null=True, help="Why it could not be taken back."),
            "rows_removed_at": Text(
                source="said_emptied_at", null=True, help="Its rows were removed after their time."
            ),
            "problem": Text(help="Why it failed, as a code."),
            "problem_text": Problems(source="problem", help="The same in the language asked for."),
        },
        filters={"state": Filter(field=Choice(choices=ImportState), lookup="state")},
        create=Command(
            run=_upload,
            permission=ours.IMPORTS_RUN,
            input={
                "file_name": Text(120, min=1),
                "content": Bytes(most=14 * 1024 * 1024, help="The xlsx or csv file as base64; 50,000 rows at most."),
            },
            help="Upload a file; it is read in the background and writes nothing",
        ),
        actions=(
            Action(
                verb="confirm",
                run=imports.confirm_import,
                permission=ours.IMPORTS_RUN,
                when={ImportState.PREVIEW},
                help="Write what the preview shows, in the background",
            ),
            Action(
                verb="discard",
                run=imports.discard_import,
                permission=ours.IMPORTS_RUN,
                when={ImportState.PREVIEW},
                help="The file isn't wanted; its rows are forgotten",
            ),
            Action(
                verb="undo",
                run=imports.ask_undo,
                permission=ours.IMPORTS_RUN,
                when={ImportState.DONE},
                only=While(lambda asked, emptied: not asked and not emptied, "said_undo_by", "said_emptied_at"),
                help="Take it back in the background; rows that were used since stay",
            ),
        ),
    )
)


def _import_rows(values: dict[str, Any], actor: Actor) -> tuple[list[dict[str, Any]], bool, str | None]:
    batch = ImportBatch.objects.for_actor(actor).filter(uid=values["import_uid"]).first()
    if batch is None:
        message = _("This uid leads to nothing that you may see: %(uid)s") % {"uid": values["import_uid"]}
        errors = [{"pointer": "?import_uid", "code": "reference", "message": message}]
        raise Problem(400, "validation", _("Some parameters can't be taken; see “errors”."), errors=errors)
    rows, more = reads.rows_of(
        batch, show=values.get("verdict", ""), after=int(values.get("cursor", 0)), most=values["limit"], masked=True
    )
    shown = [
        {
            "number": row.number,
            "verdict": row.action,
            "plate": row.plate,
            "vin": row.vin,
            "name": row.name,
            "phone": row.phone,
            "model_text": row.model,
            "notes": [
                {"level": said.level, "code": said.code, "field": said.field, "text": said.text, "todo": str(said.todo)}
                for said in row.said
            ],
        }
        for row in rows
    ]
    return shown, more is not None, None if more is None else str(more)


register_listing(
    Listing(
        path="import-rows",
        name="ImportRow",
        room="exchange",
        view=ours.IMPORTS_VIEW,
        help="The rows of one import with what becomes of each and why, in the order of the file (7.2). Names and numbers "
        "are masked for everybody: the file has them.",
        parameters={
            "import_uid": Uid(help="Whose rows."),
            "verdict": Choice(
                choices=(*ImportAction.values, "NOTES", "KEPT"),
                help="Only these; NOTES: with a remark, KEPT: left in place by the undo.",
            ),
            "cursor": Text(8, min=1, pattern=r"^[0-9]{1,8}$", help="next_cursor of the page before."),
        },
        required=("import_uid",),
        shape={
            "number": Whole(help="The row's number in the file."),
            "verdict": Choice(choices=ImportAction),
            "plate": Text(),
            "vin": Text(),
            "name": Text(),
            "phone": Text(),
            "model_text": Text(),
            "notes": ListOf(
                inner=Nested(
                    fields={
                        "level": Text(help="REFUSE, WARN or INFO."),
                        "code": Text(),
                        "field": Text(help="The column, by the name of the API; empty: the whole row."),
                        "text": Text(help="What is wrong, in the language asked for."),
                        "todo": Text(help="What to do about it."),
                    }
                ),
                help="Why, and what was left out.",
            ),
        },
        read=_import_rows,
    )
)
