"""What holds for all tests of the trainer: none of them asserts a time, and so none has a deadline."""

from hypothesis import settings

settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")
