"""What does an exported model do on a split, row by row?"""
