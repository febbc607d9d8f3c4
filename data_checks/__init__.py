"""Can this data be trusted to judge a model?"""
