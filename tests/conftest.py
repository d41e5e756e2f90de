"""What all tests share: patience, since a busy machine is slow and nothing wrong with it."""

from hypothesis import settings

settings.register_profile("patient", deadline=None)
settings.load_profile("patient")
