"""May this model be promoted, and how sure is the answer?"""
