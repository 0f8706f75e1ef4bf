"""Before money is spent.

    plan    * jobs, GPU-hours, disk, price
    doctor  * whether this machine, or a cluster, can run a study
    flops   work, in operations
    sizes   memory and disk

* a step: rectify STEP
"""
