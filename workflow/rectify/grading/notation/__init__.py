"""One spelling for golds and answers, before anything is parsed."""
