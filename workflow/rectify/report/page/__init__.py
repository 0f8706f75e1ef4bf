"""The page that shows all that a study has found, and works from a file.

    render_report  * write it
    sections       what it shows
    health         how the answers are
    retention      what training has not hurt
    precheck       what was known before training
    records        how grading went, what was shared, what it cost
    samples        samples to browse
    templates/     HTML, CSS, JavaScript

* a step: rectify STEP
"""
