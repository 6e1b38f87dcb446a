"""Addresses of chapter 5."""

from django.urls import path

from staff.views import calendar, employees, rosters

urlpatterns = [
    # people
    path("staff/", employees.StaffListPage.as_view(), name="staff"),
    path("staff/new/", employees.HirePage.as_view(), name="staff-hire"),
    path("staff/<uuid:uid>/", employees.PersonPage.as_view(), name="staff-person"),
    path("staff/<uuid:uid>/login/", employees.LoginPage.as_view(), name="staff-login"),
    path("staff/<uuid:uid>/badge/", employees.BadgePage.as_view(), name="staff-badge"),
    path("staff/<uuid:uid>/password/", employees.PasswordPage.as_view(), name="staff-password"),
    path("staff/<uuid:uid>/post/", employees.PostPage.as_view(), name="staff-post"),
    path("staff/<uuid:uid>/post/<uuid:holding>/end/", employees.EndPostPage.as_view(), name="staff-post-end"),
    path("staff/<uuid:uid>/deputy/", employees.DeputyPage.as_view(), name="staff-deputy"),
    path("staff/<uuid:uid>/deputy/<uuid:deputyship>/end/", employees.EndDeputyPage.as_view(), name="staff-deputy-end"),
    path("staff/<uuid:uid>/skill/", employees.SkillPage.as_view(), name="staff-skill"),
    path("staff/<uuid:uid>/hand-over/", employees.HandOverPage.as_view(), name="staff-hand-over"),
    path("staff/<uuid:uid>/leave/", employees.LeavePage.as_view(), name="staff-leave"),
    # the working calendar
    path("calendar/", calendar.CalendarPage.as_view(), name="calendar"),
    path("calendar/public-day/", calendar.PublicDayPage.as_view(), name="calendar-public-day"),
    path("calendar/public-day/<uuid:uid>/drop/", calendar.DropPublicDayView.as_view(), name="calendar-public-day-drop"),
    path("calendar/store-day/", calendar.StoreDayPage.as_view(), name="calendar-store-day"),
    path("calendar/store-day/<str:day>/drop/", calendar.DropStoreDayView.as_view(), name="calendar-store-day-drop"),
    path("calendar/hours/", calendar.HoursPage.as_view(), name="calendar-hours"),
    # rosters
    path("roster/", rosters.RosterPage.as_view(), name="roster"),
    path("roster/plan/", rosters.RosterPlanPage.as_view(), name="roster-plan"),
    path("roster/<uuid:uid>/<slug:day>/", rosters.RosterDayPage.as_view(), name="roster-day"),
]
