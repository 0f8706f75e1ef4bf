"""What follows from a study, as the rules read it: runs, paths, settings, layouts."""
