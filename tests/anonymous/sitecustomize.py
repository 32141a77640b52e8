"""Has programs take no credentials to the emulator of Google Cloud Storage: with this folder on PYTHONPATH."""

import os

if os.environ.get("STORAGE_EMULATOR_HOST"):
    import google.auth
    from google.auth.credentials import AnonymousCredentials

    google.auth.default = lambda *_, **__: (AnonymousCredentials(), os.environ.get("GOOGLE_CLOUD_PROJECT"))
