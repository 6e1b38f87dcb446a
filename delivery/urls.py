"""Addresses of chapter 4."""

from django.urls import path

from .views import cores, followups, handovers, links, rework, sales, settlements

urlpatterns = [
    # settlement, payment, hand-over and gate
    path("delivery/", settlements.BoardPage.as_view(), name="delivery-board"),
    path("orders/<uuid:uid>/settlement/", settlements.IssuePage.as_view(), name="settlement-issue"),
    path("orders/<uuid:uid>/deposit/", settlements.DepositPage.as_view(), name="deposit-take"),
    path("deposits/<uuid:uid>/return/", settlements.ReturnDepositPage.as_view(), name="deposit-return"),
    path("orders/<uuid:uid>/goodwill/", settlements.GoodwillPage.as_view(), name="goodwill-ask"),
    path("settlements/<uuid:uid>/", settlements.SettlementPage.as_view(), name="settlement-detail"),
    path("settlements/<uuid:uid>.pdf", settlements.SettlementPdfView.as_view(), name="settlement-pdf"),
    path("settlements/<uuid:uid>/sign/", settlements.SignPage.as_view(), name="settlement-sign"),
    path("settlements/<uuid:uid>/void/", settlements.VoidPage.as_view(), name="settlement-void"),
    path("settlements/<uuid:uid>/pay/", settlements.PayPage.as_view(), name="settlement-pay"),
    path("settlements/<uuid:uid>/unpaid-exit/", settlements.UnpaidExitPage.as_view(), name="settlement-unpaid-exit"),
    path("sales/", sales.CounterSalesPage.as_view(), name="counter-sales"),
    path("sales/begin/", sales.BeginSaleView.as_view(), name="counter-sale-begin"),
    path("sales/<uuid:uid>/", sales.CounterSalePage.as_view(), name="counter-sale"),
    path("sales/<uuid:uid>/change/", sales.ChangeSalePage.as_view(), name="counter-sale-change"),
    path("sales/<uuid:uid>/sell/", sales.SellView.as_view(), name="counter-sale-sell"),
    path("sales/<uuid:uid>/drop/", sales.DropSaleView.as_view(), name="counter-sale-drop"),
    path("sales/<uuid:uid>/pay/", sales.PaySalePage.as_view(), name="counter-sale-pay"),
    path("sale-lines/<uuid:uid>/off/", sales.TakeOffSaleView.as_view(), name="sale-line-off"),
    path("sale-lines/<uuid:uid>/return/", sales.SaleReturnPage.as_view(), name="sale-line-return"),
    path("sale-payments/<uuid:uid>/refund/", sales.RefundSalePage.as_view(), name="sale-payment-refund"),
    path("cores/<uuid:uid>/payout/", cores.CorePayoutPage.as_view(), name="core-payout"),
    path("payments/", settlements.PaymentsPage.as_view(), name="payment-list"),
    path("payments/<uuid:uid>/refund/", settlements.RefundPage.as_view(), name="payment-refund"),
    path("visits/<uuid:uid>/handover/", handovers.HandoverPage.as_view(), name="visit-handover"),
    path("visits/<uuid:uid>/gate-pass/", handovers.NewGatePassPage.as_view(), name="gate-pass-new"),
    path("gate-passes/<uuid:uid>/", handovers.GatePassPage.as_view(), name="gate-pass-detail"),
    path("gate-passes/<uuid:uid>/cancel/", handovers.CancelGatePassView.as_view(), name="gate-pass-cancel"),
    path("gate/", handovers.GatePage.as_view(), name="gate"),
    path("v/<str:token>/settlements/<uuid:uid>/", links.LinkSettlementPage.as_view(), name="link-settlement"),
    path("v/<str:token>/settlements/<uuid:uid>.pdf", links.LinkSettlementPdfView.as_view(), name="link-settlement-pdf"),
    # --- follow-up and surveys ---
    path("appointments/<uuid:uid>/deposit/", settlements.BookingDepositPage.as_view(), name="deposit-booking"),
    path("follow-ups/", followups.FollowUpListPage.as_view(), name="follow-up-list"),
    path("follow-ups/dates/", followups.DateReminderListPage.as_view(), name="date-reminder-list"),
    path("follow-ups/dates/<uuid:uid>/", followups.DateReminderPage.as_view(), name="date-reminder"),
    path("follow-ups/<uuid:uid>/", followups.FollowUpPage.as_view(), name="follow-up-detail"),
    path("satisfaction/", followups.SatisfactionPage.as_view(), name="satisfaction"),
    path("v/<str:token>/survey/", followups.LinkSurveyPage.as_view(), name="link-survey"),
    # --- rework within the guarantee ---
    path("rework/", rework.ReworkListPage.as_view(), name="rework-list"),
    path("visits/<uuid:uid>/rework/", rework.OpenReworkPage.as_view(), name="rework-open"),
    path("rework/<uuid:uid>/", rework.ReworkPage.as_view(), name="rework-case"),
    path("rework/<uuid:uid>/judge/", rework.JudgePage.as_view(), name="rework-judge"),
    path("rework/<uuid:uid>/start/", rework.StartView.as_view(), name="rework-start"),
    path("rework/<uuid:uid>/send-out/", rework.SendOutPage.as_view(), name="rework-send-out"),
    path("rework/<uuid:uid>/pay/", rework.PayPage.as_view(), name="rework-pay"),
    path("rework/<uuid:uid>/withdraw/", rework.WithdrawPage.as_view(), name="rework-withdraw"),
]
