"""Addresses of prices, of places in the plan and of maintenance plans."""

from django.urls import path

from dealership.catalogue.views import (
    maintenance,
    models,
    operations,
    packages,
    prices,
    replacements,
    resources,
    sheets,
)

urlpatterns = [
    path("catalogue/rates/", prices.LaborRatesPage.as_view(), name="labor-rates"),
    path("catalogue/rates/new/", prices.NewLaborRatePage.as_view(), name="labor-rate-new"),
    path("catalogue/operations/", operations.OperationsPage.as_view(), name="operations"),
    path("catalogue/operations/new/", operations.NewOperationPage.as_view(), name="operation-new"),
    path("catalogue/operations/<uuid:uid>/", operations.OperationPage.as_view(), name="operation"),
    path("catalogue/operations/<uuid:uid>/edit/", operations.CorrectOperationPage.as_view(), name="operation-edit"),
    path("catalogue/operations/<uuid:uid>/hours/", operations.OperationHoursPage.as_view(), name="operation-hours"),
    path(
        "catalogue/operations/<uuid:uid>/hours/drop/", operations.DropHoursView.as_view(), name="operation-hours-drop"
    ),
    path("catalogue/operations/<uuid:uid>/parts/", operations.UsualPartPage.as_view(), name="operation-part"),
    path(
        "catalogue/operations/<uuid:uid>/parts/drop/",
        operations.DropUsualPartView.as_view(),
        name="operation-part-drop",
    ),
    path("catalogue/parts/new/", operations.NewPartPage.as_view(), name="part-new"),
    path("catalogue/parts/<uuid:uid>/edit/", operations.CorrectPartPage.as_view(), name="part-edit"),
    path("catalogue/parts/", prices.PartPricesPage.as_view(), name="part-prices"),
    path("catalogue/parts/<uuid:uid>/price/", prices.PartPricePage.as_view(), name="part-price"),
    path("catalogue/parts/<uuid:uid>/", replacements.ReplacementsPage.as_view(), name="part-replacements"),
    path("catalogue/parts/<uuid:uid>/tracing/", replacements.TracingView.as_view(), name="part-tracing"),
    path("catalogue/parts/<uuid:uid>/handling/", replacements.HandlingView.as_view(), name="part-handling"),
    path(
        "catalogue/replacements/<uuid:uid>/end/", replacements.EndReplacementView.as_view(), name="part-replacement-end"
    ),
    path("catalogue/models/", prices.ModelPricesPage.as_view(), name="model-prices"),
    path("catalogue/models/new/", models.NewModelPage.as_view(), name="model-new"),
    path("catalogue/models/<uuid:uid>/", models.ModelPage.as_view(), name="model-edit"),
    path("catalogue/models/<uuid:uid>/end/", models.EndModelPage.as_view(), name="model-end"),
    path("catalogue/models/<uuid:uid>/price/", prices.ModelPricePage.as_view(), name="model-price"),
    path("catalogue/packages/", packages.PackagesPage.as_view(), name="packages"),
    path("catalogue/packages/new/", packages.NewPackagePage.as_view(), name="package-new"),
    path("catalogue/packages/<uuid:uid>/end/", packages.EndPackagePage.as_view(), name="package-end"),
    path("catalogue/bays/", resources.BaysPage.as_view(), name="bays"),
    path("catalogue/bays/new/", resources.NewResourcePage.as_view(), name="bay-new"),
    path("catalogue/bays/<uuid:uid>/switch/", resources.SwitchResourceView.as_view(), name="bay-switch"),
    path("catalogue/bays/<uuid:uid>/capacity/", resources.CapacityView.as_view(), name="bay-capacity"),
    path("catalogue/loan-cars/<uuid:uid>/plate/", resources.PlateView.as_view(), name="loan-car-plate"),
    path("catalogue/people/<uuid:uid>/efficiency/", resources.EfficiencyView.as_view(), name="plan-efficiency"),
    path("catalogue/maintenance/", maintenance.PlansPage.as_view(), name="maintenance-plans"),
    path("catalogue/maintenance/new/", maintenance.NewPlanPage.as_view(), name="maintenance-plan-new"),
    path("catalogue/maintenance/<uuid:uid>/", maintenance.PlanPage.as_view(), name="maintenance-plan"),
    path("catalogue/maintenance/<uuid:uid>/items/", maintenance.PlanItemPage.as_view(), name="maintenance-item"),
    path(
        "catalogue/maintenance/<uuid:uid>/items/drop/",
        maintenance.DropItemView.as_view(),
        name="maintenance-item-drop",
    ),
    path(
        "catalogue/maintenance/<uuid:uid>/release/", maintenance.ReleasePlanPage.as_view(), name="maintenance-release"
    ),
    path("catalogue/maintenance/<uuid:uid>/next/", maintenance.NextVersionView.as_view(), name="maintenance-next"),
    path(
        "catalogue/maintenance/<uuid:uid>/discard/", maintenance.DiscardPlanView.as_view(), name="maintenance-discard"
    ),
    path("catalogue/sheets/", sheets.TemplatesPage.as_view(), name="check-templates"),
    path("catalogue/sheets/new/", sheets.NewTemplatePage.as_view(), name="check-template-new"),
    path("catalogue/sheets/<uuid:uid>/", sheets.TemplatePage.as_view(), name="check-template"),
    path("catalogue/sheets/<uuid:uid>/items/", sheets.CheckItemPage.as_view(), name="check-item"),
    path("catalogue/sheets/<uuid:uid>/items/drop/", sheets.DropCheckItemView.as_view(), name="check-item-drop"),
    path("catalogue/sheets/<uuid:uid>/bounds/", sheets.CheckLimitPage.as_view(), name="check-limit"),
    path("catalogue/sheets/<uuid:uid>/release/", sheets.ReleaseTemplatePage.as_view(), name="check-release"),
    path("catalogue/sheets/<uuid:uid>/next/", sheets.NextTemplateView.as_view(), name="check-template-next"),
    path("catalogue/sheets/<uuid:uid>/discard/", sheets.DiscardTemplateView.as_view(), name="check-template-discard"),
]
