"""Manifests, read: from a number back to its sources, and from one run to another.

    trace        * a cell back to its samples, models, rows
    compare      * two runs of a study, cell by cell
    cells        what names a cell, and the files behind it
    chain        from a result back
    manifests    a study's, gathered
    differences  why two runs differ
    processors   what they were made on
    job_times    what jobs took

* a step: rectify STEP
"""
