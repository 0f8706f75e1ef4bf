"""Base models, and what a model reads.

    initialise_model  * random weights and a tokenizer
    fetch_model       * from a folder or the hub
    convert_gguf      * from a GGUF file, dequantised
    check_model       * against the study, before anything is trained
    gguf_file         a GGUF file, read
    folder            read and written whole
    config            what config.json says; whether vLLM takes a model
    lora              adapters, and their merging
    tokenizer         loaded as its files say
    encoding          rows and prompts as token ids
    prompts           styles, in training and in decoding
    stops             where a response ends

* a step: rectify STEP
"""
