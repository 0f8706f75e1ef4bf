"""The figures: a module describes one, whole.

Its block in a study, its caption, the files it is made of, its points, its picture, and the files
behind each point. rectify.paper.figure says what a module has; `rectify plot_figure --help` lists
them.
"""
