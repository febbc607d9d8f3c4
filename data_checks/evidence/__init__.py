"""What is known about each row of every split?

One file a kind. Each offers functions `measure...(splits)` that give named columns with a value
a row of every split, in the order of `splits.named()`. They measure, and judge nothing.
"""
