"""What follows from a study, as the rules read it.

    runs            what is trained and decoded
    paths           where results lie
    settings        what each job is given
    settings_files  the file that each has it from
    layouts         what is shown: tables, figures, the page
    sweeps          what a learning rate is chosen from
    retention       what is made of what training should not hurt
    cards           what the models' cards say
    preflight       what can be known to fail before anything is run
    show_settings   * what a job is given, printed

* a step: rectify STEP
"""
