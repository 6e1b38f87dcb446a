"""Addresses of chapter 3."""

from django.urls import path

from .views import links, orders

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
    path("order-lines/<uuid:uid>/parts/new/", orders.AddPartView.as_view(), name="part-add"),
    path("part-lines/<uuid:uid>/quantity/", orders.ChangePartView.as_view(), name="part-change"),
    path("part-lines/<uuid:uid>/remove/", orders.RemovePartView.as_view(), name="part-remove"),
    # --- the customer's link ---
    path("v/<str:token>/orders/<uuid:uid>/decide/", links.DecideOnLink.as_view(), name="visit-link-decide"),
    path("v/<str:token>/orders/<uuid:uid>/total/", links.TotalOnLink.as_view(), name="visit-link-total"),
]
