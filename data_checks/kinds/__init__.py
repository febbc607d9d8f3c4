"""Which questions are asked of data, and in which words are they answered?

One file a kind of leak. Each offers its checks, with the leaks that are planted to try them.
"""
