"""Input shapes of the chapter's pages."""
