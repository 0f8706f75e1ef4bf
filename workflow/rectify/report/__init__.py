"""What a study has found, for people: tables, figures and a page."""
