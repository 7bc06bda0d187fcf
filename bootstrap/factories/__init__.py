"""How each part of the service is built. None does any I/O beyond reading CA files.

The container only names these; they are plain functions so that mypy sees every argument.
"""

from bootstrap.factories.access import access_parts
from bootstrap.factories.admin import admin_parts, audit_trail, metrics
from bootstrap.factories.audit import audit_parts
from bootstrap.factories.changes import change_parts, control_codec
from bootstrap.factories.nats import nats_client, nats_config, nats_transport, subjects
from bootstrap.factories.service import answer_request, service
from bootstrap.factories.store_stack import store_stack
from bootstrap.factories.stores import infisical_store, nats_kv_store
from bootstrap.factories.tracing import traced_handler, traced_trail, tracing_parts

__all__ = [
    "access_parts",
    "admin_parts",
    "answer_request",
    "audit_parts",
    "audit_trail",
    "change_parts",
    "control_codec",
    "infisical_store",
    "metrics",
    "nats_client",
    "nats_config",
    "nats_kv_store",
    "nats_transport",
    "service",
    "store_stack",
    "subjects",
    "traced_handler",
    "traced_trail",
    "tracing_parts",
]
