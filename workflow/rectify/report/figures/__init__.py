"""Pictures, drawn.

    plot_figure  * a figure that rectify.paper.figures describes, with its points as CSV

* a step: rectify STEP
"""
