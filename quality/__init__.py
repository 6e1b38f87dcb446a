"""Chapter 6: figures, dashboards and complaints."""
