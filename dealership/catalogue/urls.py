"""Addresses of prices and of places in the plan."""

from django.urls import path

from dealership.catalogue.views import prices, resources

urlpatterns = [
    path("catalogue/rates/", prices.LaborRatesPage.as_view(), name="labor-rates"),
    path("catalogue/rates/new/", prices.NewLaborRatePage.as_view(), name="labor-rate-new"),
    path("catalogue/parts/", prices.PartPricesPage.as_view(), name="part-prices"),
    path("catalogue/parts/<uuid:uid>/price/", prices.PartPricePage.as_view(), name="part-price"),
    path("catalogue/models/", prices.ModelPricesPage.as_view(), name="model-prices"),
    path("catalogue/models/<uuid:uid>/price/", prices.ModelPricePage.as_view(), name="model-price"),
    path("catalogue/bays/", resources.BaysPage.as_view(), name="bays"),
    path("catalogue/bays/new/", resources.NewResourcePage.as_view(), name="bay-new"),
    path("catalogue/bays/<uuid:uid>/switch/", resources.SwitchResourceView.as_view(), name="bay-switch"),
    path("catalogue/people/<uuid:uid>/efficiency/", resources.EfficiencyView.as_view(), name="plan-efficiency"),
]
