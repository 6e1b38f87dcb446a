"""Pages of the inbox: the list, one thread with its clocks, and what is done with it (2.2)."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID, uuid4

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _
from django.views.generic import View

from dealership.kernel.files import file_response
from dealership.kernel.pages import ActionView, CommandPage, Page, StaffPage

from .. import permissions
from ..forms.consultations import (
    AnswerForm,
    AssignConsultationForm,
    CloseForm,
    LeadForm,
    NewConsultationForm,
    SnoozeForm,
    TemplateForm,
    WordsForm,
)
from ..forms.quotations import uids
from ..models import AnswerTemplate, Consultation
from ..selectors import consultations as reads
from ..selectors import knowledge, quotations
from ..selectors.appointments import find_cars, store_of
from ..services import consultations as commands
from ..services.customers import open_number


class ConsultationListPage(Page):
    """2.2.1: everything that waits for an answer, most pressing first; the counts are filters."""

    permission = permissions.CONSULTATIONS_VIEW
    template_name = "reception/consultations/list.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        show = self.request.GET.get("show", "open")
        show = show if show in reads.FILTERS else "open"
        return (
            super().get_context_data(**kwargs)
            | reads.inbox(self.actor, show)
            | {
                "show": show,
                "form_token": uuid4(),
                "ask_url": self.request.build_absolute_uri(reverse("ask-online", args=[store_of(self.actor).code])),
                "may_work": self.actor.may(permissions.CONSULTATIONS_WORK),
                "may_templates": self.actor.may(permissions.TEMPLATES_MANAGE),
            }
        )


class NewConsultationPage(CommandPage):
    permission = permissions.CONSULTATIONS_WORK
    template_name = "reception/consultations/new.html"
    form_class = NewConsultationForm
    done = _("Written down; the limits run.")

    def get_initial(self) -> dict[str, Any]:
        asked = self.request.GET
        return super().get_initial() | {name: asked[name] for name in ("contact_phone", "plate") if asked.get(name)}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Who calls and whether the car is here, by telephone or plate."""
        given = self.request.POST or self.request.GET
        keys = [text for text in (given.get("plate", ""), given.get("contact_phone", "")) if len(text.strip()) > 3]
        found = next((cars for text in keys if (cars := find_cars(self.actor, text))), [])
        return super().get_context_data(**kwargs) | {"asked": bool(keys), "found": found[:5]}

    def run(self, form: NewConsultationForm) -> Consultation:
        return commands.register_consultation(by=self.actor, **form.cleaned_data)

    def location(self, result: Consultation) -> str:
        return reverse("consultation-detail", args=[result.uid])


class ConsultationMixin:
    kwargs: dict[str, Any]
    actor: Any

    @cached_property
    def consultation(self) -> Consultation:
        return reads.consultation_of(self.actor, self.kwargs["uid"])


class ConsultationPage(ConsultationMixin, CommandPage):
    """One thread; its form is the answer."""

    permission = permissions.CONSULTATIONS_VIEW
    template_name = "reception/consultations/detail.html"
    form_class = AnswerForm
    done = _("The answer is written down.")

    def get_form_kwargs(self) -> dict[str, Any]:
        return super().get_form_kwargs() | {"consultation": self.consultation}

    @cached_property
    def offered(self) -> list[dict[str, Any]]:
        """Articles in force beside the answer: the ticked ones, then what the words find or the topic has."""
        given = self.request.POST if self.request.method == "POST" else self.request.GET
        return knowledge.offered(self.consultation, text=self.request.GET.get("know", ""), chosen=uids(given, "cites"))

    def get_initial(self) -> dict[str, Any]:
        chosen = [row["version"].body for row in self.offered if row["chosen"]]
        if chosen:
            return super().get_initial() | {"body": "\n\n".join(chosen)}
        try:
            wanted = UUID(self.request.GET.get("template", ""))
        except ValueError:
            return super().get_initial()
        template = reads.templates().filter(uid=wanted).first()
        if template is None:
            return super().get_initial()
        return super().get_initial() | {"body": commands.fill_template(template, self.consultation, self.actor)}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        consultation = self.consultation
        before, after = reads.neighbours(self.actor, consultation)
        may_work = self.actor.may(permissions.CONSULTATIONS_WORK)
        opens = may_work and consultation.ended_at is None and bool(consultation.contact_phone)
        if opens:
            open_number(task=consultation, customer=consultation.customer, by=self.actor)
        return super().get_context_data(**kwargs) | {
            "consultation": consultation,
            "thread": consultation.messages.select_related("author").prefetch_related(
                "attachments", "citations__cited__article"
            ),
            "clocks": reads.clocks_of(consultation),
            "stage": reads.STAGES.get(consultation.state, "ready"),  # type: ignore[call-overload]
            "present": reads.others_present(self.actor, consultation),
            "earlier": reads.earlier_of(self.actor, consultation),
            "here": reads.cars_here(self.actor, consultation) if consultation.is_open else [],
            "templates": reads.templates(),
            "offered": self.offered,
            "know": self.request.GET.get("know", ""),
            "quoted": quotations.quotations_for_answer(self.actor, consultation.pk),
            "may_quote": self.actor.may(permissions.QUOTATIONS_GIVE),
            "before": before,
            "after": after,
            "may_work": may_work,
            "opens": opens,
            "may_book": self.actor.may(permissions.APPOINTMENTS_BOOK),
            "may_receive": self.actor.may(permissions.VISITS_RECEIVE),
        }

    def run(self, form: AnswerForm) -> Consultation:
        return commands.answer_consultation(uid=self.consultation.uid, by=self.actor, **form.cleaned_data)


class PresenceView(ConsultationMixin, ActionView):
    """Says that the thread is open here and answers who else has it open (htmx)."""

    permission = permissions.CONSULTATIONS_WORK

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        consultation = self.consultation
        commands.note_presence(uid=consultation.uid, by=self.actor)
        context = {"present": reads.others_present(self.actor, consultation)}
        return render(request, "reception/consultations/present.html", context)


class FileView(StaffPage, View):
    """A file that came with a mail, as a download: it is never run here."""

    permission = permissions.CONSULTATIONS_VIEW

    def get(self, request: HttpRequest, uid: UUID) -> HttpResponseBase:
        return file_response(reads.attachment_for(self.actor, uid), download=True)


class ConsultationActionView(ActionView):
    """A button on a consultation."""

    permission = permissions.CONSULTATIONS_WORK
    command: ClassVar[Any] = None

    def run(self, form: Any) -> Consultation:
        return type(self).command(uid=self.kwargs["uid"], by=self.actor)

    def location(self, result: Consultation) -> str:
        if self.request.POST.get("next"):
            return super().location(result)
        return reverse("consultation-detail", args=[self.kwargs["uid"]])


class TakeView(ConsultationActionView):
    command = commands.take_consultation
    done = _("It is yours now.")


class SettleView(ConsultationActionView):
    command = commands.settle_consultation
    done = _("Settled for the customer.")


class ConsultationCommandPage(ConsultationMixin, CommandPage):
    """A form in front of one command on a consultation."""

    permission = permissions.CONSULTATIONS_WORK
    template_name = "reception/consultations/action.html"
    title: ClassVar[Any] = ""
    submit: ClassVar[Any] = _("Save")

    def get_form_kwargs(self) -> dict[str, Any]:
        return super().get_form_kwargs() | {"consultation": self.consultation}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs) | {
            "consultation": self.consultation,
            "title": self.title,
            "submit": self.submit,
        }

    def location(self, result: Consultation) -> str:
        return reverse("consultation-detail", args=[self.consultation.uid])


class ReceivedPage(ConsultationCommandPage):
    form_class = WordsForm
    title, submit = _("The customer wrote or called again"), _("Write it down")
    done = _("Written down; the limit for the answer runs anew.")

    def run(self, form: WordsForm) -> Consultation:
        return commands.receive_message(uid=self.consultation.uid, by=self.actor, **form.cleaned_data)


class NotePage(ConsultationCommandPage):
    form_class = WordsForm
    title, submit = _("Note for colleagues"), _("Add the note")
    done = _("The note is kept; the customer doesn't see it.")

    def run(self, form: WordsForm) -> Consultation:
        return commands.note_consultation(uid=self.consultation.uid, by=self.actor, **form.cleaned_data)


class AssignConsultationPage(ConsultationCommandPage):
    form_class = AssignConsultationForm
    title, submit = _("Who looks after this question?"), _("Hand it over")
    done = _("Handed over.")

    def get_form_kwargs(self) -> dict[str, Any]:
        kwargs = CommandPage.get_form_kwargs(self)
        return kwargs | {"people": reads.colleagues(self.actor)}

    def run(self, form: AssignConsultationForm) -> Consultation:
        chosen = form.cleaned_data["employee"]
        return commands.assign_consultation(uid=self.consultation.uid, employee_uid=chosen.uid, by=self.actor)


class SnoozePage(ConsultationCommandPage):
    form_class = SnoozeForm
    title, submit = _("Put off"), _("Put it off")
    done = _("Put off; it comes back by itself.")

    def run(self, form: SnoozeForm) -> Consultation:
        return commands.snooze_consultation(uid=self.consultation.uid, by=self.actor, **form.cleaned_data)


class CloseConsultationPage(ConsultationCommandPage):
    form_class = CloseForm
    title, submit = _("Close the question"), _("Close it")
    done = _("Closed.")

    def run(self, form: CloseForm) -> Consultation:
        return commands.close_consultation(uid=self.consultation.uid, by=self.actor, **form.cleaned_data)


class LeadPage(ConsultationCommandPage):
    form_class = LeadForm
    title, submit = _("Hand to sales"), _("Hand it over")
    done = _("Handed to sales.")

    def run(self, form: LeadForm) -> Consultation:
        return commands.hand_to_sales(uid=self.consultation.uid, by=self.actor, **form.cleaned_data)


# --- templates for answers ---


class TemplateListPage(Page):
    permission = permissions.TEMPLATES_MANAGE
    template_name = "reception/consultations/templates.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs) | {"templates": reads.templates(active_only=False)}


class NewTemplatePage(CommandPage):
    permission = permissions.TEMPLATES_MANAGE
    template_name = "reception/consultations/template.html"
    form_class = TemplateForm
    done = _("The template is saved.")

    def run(self, form: TemplateForm) -> AnswerTemplate:
        return commands.save_template(by=self.actor, **form.cleaned_data)

    def location(self, result: AnswerTemplate) -> str:
        return reverse("answer-templates")


class EditTemplatePage(NewTemplatePage):
    @cached_property
    def template(self) -> AnswerTemplate:
        return AnswerTemplate.objects.for_actor(self.actor).get(uid=self.kwargs["uid"])

    def get_initial(self) -> dict[str, Any]:
        row = self.template
        return super().get_initial() | {n: getattr(row, n) for n in ("title", "topic", "body", "active")}

    def run(self, form: TemplateForm) -> AnswerTemplate:
        return commands.save_template(uid=self.template.uid, by=self.actor, **form.cleaned_data)
