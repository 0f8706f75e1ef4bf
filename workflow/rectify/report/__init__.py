"""What a study has found, for people.

tables/   CSV, Markdown, LaTeX
figures/  a module for each
page/     all of it on one page
"""
