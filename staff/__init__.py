"""Chapter 5: employees, posts, skills and rosters."""
