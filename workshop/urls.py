"""Addresses of chapter 3."""

from django.urls import path

from .views import inspections, jobs, links, orders, parts, plan

urlpatterns = [
    # --- repair orders ---
    path("orders/", orders.OrderListPage.as_view(), name="order-list"),
    path("visits/<uuid:uid>/orders/new/", orders.OpenOrderPage.as_view(), name="order-open"),
    path("orders/<uuid:uid>/", orders.OrderPage.as_view(), name="order-detail"),
    path("orders/<uuid:uid>/lines/new/", orders.NewLinePage.as_view(), name="line-new"),
    path("orders/<uuid:uid>/estimate/", orders.SendEstimateView.as_view(), name="order-estimate"),
    path("orders/<uuid:uid>/decide/", orders.DecidePage.as_view(), name="order-decide"),
    path("orders/<uuid:uid>/promise/", orders.PromisePage.as_view(), name="order-promise"),
    path("orders/<uuid:uid>/withdraw/", orders.WithdrawOrderPage.as_view(), name="order-withdraw"),
    path("order-lines/<uuid:uid>/", orders.EditLinePage.as_view(), name="line-edit"),
    path("order-lines/<uuid:uid>/discount/", orders.DiscountPage.as_view(), name="line-discount"),
    path("order-lines/<uuid:uid>/cancel/", orders.CancelLinePage.as_view(), name="line-cancel"),
    path("order-lines/<uuid:uid>/revoke/", orders.RevokeLinePage.as_view(), name="line-revoke"),
    path("order-lines/<uuid:uid>/withdraw/", orders.WithdrawLinePage.as_view(), name="line-withdraw"),
    path("order-lines/<uuid:uid>/offer/", orders.OfferAgainView.as_view(), name="line-offer"),
    path("order-lines/<uuid:uid>/photos/", orders.LinePhotosView.as_view(), name="line-photos"),
    path("order-lines/photos/<uuid:uid>/", orders.LinePhotoView.as_view(), name="line-photo"),
    path("order-lines/<uuid:uid>/parts/new/", orders.AddPartView.as_view(), name="part-add"),
    path("part-lines/<uuid:uid>/quantity/", orders.ChangePartView.as_view(), name="part-change"),
    path("part-lines/<uuid:uid>/remove/", orders.RemovePartView.as_view(), name="part-remove"),
    # --- the customer's link ---
    path("v/<str:token>/orders/<uuid:uid>/decide/", links.DecideOnLink.as_view(), name="visit-link-decide"),
    path("v/<str:token>/line-photos/<uuid:uid>/", links.LinePhotoOnLink.as_view(), name="visit-link-line-photo"),
    path("v/<str:token>/orders/<uuid:uid>/total/", links.TotalOnLink.as_view(), name="visit-link-total"),
    # --- dispatch, clocking, inspections ---
    path("plan/", plan.PlanPage.as_view(), name="plan"),
    path("plan/lines/<uuid:uid>/", plan.AssignPage.as_view(), name="plan-assign"),
    path("plan/lines/<uuid:uid>/hold/", plan.HoldPage.as_view(), name="line-hold"),
    path("plan/lines/<uuid:uid>/release/", plan.ReleaseView.as_view(), name="line-release"),
    path("plan/<uuid:uid>/", plan.MovePage.as_view(), name="plan-move"),
    path("plan/<uuid:uid>/take-back/", plan.TakeBackView.as_view(), name="plan-take-back"),
    path("clockings/<uuid:uid>/", plan.CorrectClockingPage.as_view(), name="clocking-correct"),
    path("my-jobs/", jobs.MyJobsPage.as_view(), name="my-jobs"),
    path("my-jobs/clock-off/", jobs.ClockOffElsewhere.as_view(), name="job-clock-off"),
    path("my-jobs/<uuid:uid>/clock-on/", jobs.ClockOnView.as_view(), name="job-clock-on"),
    path("my-jobs/<uuid:uid>/pause/", jobs.PausePage.as_view(), name="job-pause"),
    path("my-jobs/<uuid:uid>/finish/", jobs.FinishPage.as_view(), name="job-finish"),
    path("my-jobs/<uuid:uid>/more-work/", jobs.MoreWorkPage.as_view(), name="job-more-work"),
    path("my-jobs/<uuid:uid>/ask/", jobs.AskPage.as_view(), name="job-ask"),
    path("inspections/", inspections.InspectionsPage.as_view(), name="inspections"),
    path("inspections/<uuid:uid>/<str:level>/", inspections.InspectPage.as_view(), name="order-inspect"),
    path("orders/<uuid:uid>/certificate/", inspections.IssueCertificateView.as_view(), name="certificate-issue"),
    path("certificates/<uuid:uid>.pdf", inspections.CertificatePdfView.as_view(), name="certificate-pdf"),
    path(
        "v/<str:token>/certificates/<uuid:uid>.pdf",
        inspections.LinkCertificatePdfView.as_view(),
        name="visit-link-certificate-pdf",
    ),
    path("certificates/<uuid:uid>/void/", inspections.VoidCertificateView.as_view(), name="certificate-void"),
    path("certificates/numbers/", inspections.AllotPage.as_view(), name="certificate-numbers"),
    # --- parts and stock ---
    path("parts/", parts.PartsBoardPage.as_view(), name="parts-board"),
    path("part-lines/<uuid:uid>/issue/", parts.IssuePartView.as_view(), name="part-issue"),
    path("part-lines/<uuid:uid>/reserve/", parts.ReservePartView.as_view(), name="part-reserve"),
    path("part-lines/<uuid:uid>/return/", parts.ReturnPartPage.as_view(), name="part-return"),
    path("stock/", parts.StockPage.as_view(), name="stock-list"),
    path("stock/<uuid:uid>/", parts.StockItemPage.as_view(), name="stock-item"),
    path("stock/<uuid:uid>/count/", parts.CountPage.as_view(), name="stock-count"),
]
