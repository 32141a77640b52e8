"""Google's client made to talk to a server of the tests; Python imports this by itself where it is on PYTHONPATH.

Two things are put right, and only where `STORAGE_EMULATOR_HOST` names a server:

- Credentials are anonymous at once: otherwise Beam looks for real ones for 20 seconds, in every process.
- Each part of a batch has a Content-ID: fake-gcs-server leaves out those that have none.
"""

import os
import uuid

if os.environ.get("STORAGE_EMULATOR_HOST"):
    try:
        import google.auth
        from google.auth.credentials import AnonymousCredentials
        from google.cloud.storage import batch
    except ImportError:
        pass  # Python's own tools run with this, too, where there is no client to put right.
    else:

        class _Part(batch.MIMEApplicationHTTP):
            def __init__(self, *args: object, **kwargs: object) -> None:
                super().__init__(*args, **kwargs)
                self["Content-ID"] = f"<{uuid.uuid4()}>"

        google.auth.default = lambda *_, **__: (AnonymousCredentials(), "test")
        batch.MIMEApplicationHTTP = _Part
