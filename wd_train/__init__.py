"""How is a model trained with weight decay, and what did the decay do?"""
