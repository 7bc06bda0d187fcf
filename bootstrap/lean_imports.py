"""To be imported first by what the service is made of; see `bootstrap.importing`."""

from bootstrap.importing import CONTAINERS, NATS, STRUCTLOG, import_lean

import_lean(STRUCTLOG, CONTAINERS, NATS)
