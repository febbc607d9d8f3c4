"""What all tests share."""

from hypothesis import settings

# No test asserts a time: machines that others use too are slow for a moment.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")
