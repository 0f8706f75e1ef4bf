"""What every step stands on: its command line, files, errors, the manifest beside a result.

command      a step's command line, and its end in one line where it fails
errors       StepError and its like
files        written whole or not at all
tables       CSV and Parquet, read with care
blocks       the YAML files that people write: strict keys, types of values
warm         steps forked from a process that has their libraries imported
garbage      not looked for among what stays
manifest     what a result was made of, with which code, when and where
reuse        results that another study has made of the same things
environment  code, packages and machine, as a manifest states them
code_files   the modules that decide what a step makes
"""
