"""Suites that a plug-in's own tests run, so that it does what the service relies on.

They are classes to subclass in a test module, and need pytest and pytest-asyncio in its mode
"auto".
"""

import pytest

for _suite in ("peer_bus", "plugin", "secret_store", "transport"):
    pytest.register_assert_rewrite(f"wasmcloud_secrets.testing.{_suite}")
