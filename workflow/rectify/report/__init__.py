"""What a study has found, for people.

tables/  CSV, Markdown, LaTeX
page/    all of it on one page
"""
