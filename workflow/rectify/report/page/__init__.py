"""The page that shows all that a study has found."""
