"""How often do the gates err, and what do they cost?"""
