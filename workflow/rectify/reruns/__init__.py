"""What a study has made, and what has to be made again.

    expected        every result, and what it is to be made with
    needed          those that are needed, each after what it is made from
    stale           which of them have to be made again
    verify          * the same, said

* a step: rectify STEP
"""
