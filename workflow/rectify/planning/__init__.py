"""Before money is spent.

    plan      * jobs, GPU-hours, disk, price
    doctor    * whether this machine, or a cluster, can run a study
    precheck  * whether what the base model knows speaks for DFT or for SFT
    flops     work, in operations
    sizes     memory and disk

* a step: rectify STEP
"""
