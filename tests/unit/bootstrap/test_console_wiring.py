"""Where the console stands in the service."""

from __future__ import annotations

from adapters.console.feed import RequestFeed
from adapters.metrics.audit_trail import MeteredAuditTrail
from tests.support.environments import infisical_environment
from tests.unit.bootstrap.container_rig import container


def test_the_console_sees_every_request_once_and_only_where_it_is_on() -> None:
    built = container(**infisical_environment(), ADMIN_ADDR=":9090", ADMIN_CONSOLE="true")

    trail = built.trail()

    assert isinstance(trail, RequestFeed)
    assert trail is built.feed()
    assert isinstance(trail._inner, MeteredAuditTrail)
    assert built.admin()._console is not None
    assert container(**infisical_environment(), ADMIN_ADDR=":9090").feed() is None


def test_every_provider_is_built_with_a_console() -> None:
    built = container(**infisical_environment(), ADMIN_ADDR=":9090", ADMIN_CONSOLE="true")

    assert all(provider() is not None for provider in built.providers.values())
