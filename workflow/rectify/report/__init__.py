"""What a study has found, for people.

tables/   CSV, Markdown, LaTeX
figures/  pictures of what rectify.paper.figures describes
page/     all of it on one page
"""
