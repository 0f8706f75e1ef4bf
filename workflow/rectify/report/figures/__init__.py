"""Pictures, drawn.

    plot_figure  * a figure that rectify.paper.figures describes, with its points as CSV
    rulegraph    * a study's rule graph, without Graphviz

* a step: rectify STEP
"""
