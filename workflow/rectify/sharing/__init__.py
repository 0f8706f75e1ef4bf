"""What leaves the house.

    write_cards  * a model card in every model's folder
    model_card   its text and its check
    publish      * a model to the hub
    eval_results   its scores, for the hub's leaderboards
    sample_set     its samples and scores, as a data set
    bundle       * a study that rebuilds its tables
    crate          its files and how they were made, as RO-Crate metadata
    snapshot     * a study's numbers, kept as a reference
    keep_bases   * pretrained base models, kept as files

* a step: rectify STEP
"""
