"""Pages of knowledge: what the shop answers, its versions and who looks at it again by when (2.2.2)."""

from __future__ import annotations

from typing import Any, ClassVar

from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from dealership.kernel.pages import CommandPage, Page

from .. import permissions
from ..forms.knowledge import ArticleForm, OwnerForm, ReviewForm, ReviseForm, WithdrawForm
from ..models import KnowledgeArticle
from ..selectors import knowledge as reads
from ..services import knowledge as commands


class KnowledgePage(Page):
    """2.2.2: search, topics as filters, and what is to be looked at again."""

    permission = permissions.KNOWLEDGE_VIEW
    template_name = "reception/knowledge/list.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        show, words = self.request.GET.get("show", "all"), self.request.GET.get("words", "")
        show = show if show in reads.FILTERS else "all"
        return (
            super().get_context_data(**kwargs)
            | reads.articles(self.actor, show=show, text=words)
            | {"show": show, "words": words, "may_write": self.actor.may(permissions.KNOWLEDGE_WRITE)}
        )


class ArticleMixin:
    kwargs: dict[str, Any]
    actor: Any

    @cached_property
    def article(self) -> KnowledgeArticle:
        return reads.article_of(self.actor, self.kwargs["uid"])


class ArticlePage(ArticleMixin, Page):
    permission = permissions.KNOWLEDGE_VIEW
    template_name = "reception/knowledge/article.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        sees = self.actor.may(permissions.CONSULTATIONS_VIEW)
        return (
            super().get_context_data(**kwargs)
            | reads.versions_of(self.article)
            | {
                "article": self.article,
                "cited": reads.cited_in(self.actor, self.article) if sees else [],
                "may_write": self.actor.may(permissions.KNOWLEDGE_WRITE),
            }
        )


class NewArticlePage(CommandPage):
    permission = permissions.KNOWLEDGE_WRITE
    template_name = "reception/knowledge/new.html"
    form_class = ArticleForm
    done = _("The article is there; answers can name it.")

    def run(self, form: ArticleForm) -> KnowledgeArticle:
        return commands.write_article(by=self.actor, **form.cleaned_data)

    def location(self, result: KnowledgeArticle) -> str:
        return reverse("article-detail", args=[result.uid])


class ArticleCommandPage(ArticleMixin, CommandPage):
    """A form in front of one command on an article."""

    permission = permissions.KNOWLEDGE_WRITE
    template_name = "reception/knowledge/action.html"
    title: ClassVar[Any] = ""
    submit: ClassVar[Any] = _("Save")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs) | {
            "article": self.article,
            "title": self.title,
            "submit": self.submit,
        }

    def location(self, result: KnowledgeArticle) -> str:
        return reverse("article-detail", args=[self.article.uid])


class RevisePage(ArticleCommandPage):
    form_class = ReviseForm
    title, submit = _("New version"), _("Put it in force")
    done = _("The new version is written; the earlier ones stay as they were.")

    def get_initial(self) -> dict[str, Any]:
        last = self.article.versions.order_by("number").last()
        known = {name: getattr(last, name) for name in ("title", "body", "source")} if last else {}
        return super().get_initial() | known

    def run(self, form: ReviseForm) -> KnowledgeArticle:
        return commands.revise_article(uid=self.article.uid, by=self.actor, **form.cleaned_data)


class ReviewPage(ArticleCommandPage):
    form_class = ReviewForm
    title, submit = _("Looked at and still right"), _("Still right")
    done = _("Noted; it comes up again on that day.")

    def run(self, form: ReviewForm) -> KnowledgeArticle:
        return commands.review_article(uid=self.article.uid, by=self.actor, **form.cleaned_data)


class OwnerPage(ArticleCommandPage):
    form_class = OwnerForm
    title, submit = _("Who looks after the article?"), _("Hand it over")
    done = _("Handed over.")

    def get_form_kwargs(self) -> dict[str, Any]:
        return super().get_form_kwargs() | {"people": reads.owners(self.actor)}

    def run(self, form: OwnerForm) -> KnowledgeArticle:
        chosen = form.cleaned_data["employee"]
        return commands.give_article(uid=self.article.uid, employee_uid=chosen.uid, by=self.actor)


class WithdrawPage(ArticleCommandPage):
    form_class = WithdrawForm
    title, submit = _("Withdraw the article"), _("Withdraw it")
    done = _("Withdrawn; answers that named it keep its words.")

    def run(self, form: WithdrawForm) -> KnowledgeArticle:
        return commands.withdraw_article(uid=self.article.uid, by=self.actor, **form.cleaned_data)
