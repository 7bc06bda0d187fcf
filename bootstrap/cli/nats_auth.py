"""`nats-auth`: NATS accounts, logins and permissions that real wasmCloud hosts work under."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from adapters.nats_auth import roles
from adapters.nats_auth.roles import Names, Permissions
from bootstrap.cli.nats_session import open_nats
from bootstrap.cli.reporting import CommandError, command_group, guarded, run
from bootstrap.cli.terminal import say, write

if TYPE_CHECKING:
    from collections.abc import Callable

    from nats.aio.client import Client

app = command_group("nats-auth", "Make NATS accounts, logins and permissions.")

Prefix = Annotated[
    str, typer.Option("--prefix", envvar="NATS_SUBJECT_PREFIX", help="The subject prefix.")
]
Backend = Annotated[str, typer.Option(envvar="BACKEND_NAME", help="The backend's name.")]
Bucket = Annotated[str, typer.Option(envvar="NATS_KV_BUCKET", help="The bucket of secrets.")]
Stream = Annotated[str, typer.Option(envvar="AUDIT_STREAM", help="The audit stream.")]

_DEFAULTS = Names()


class Role(StrEnum):
    """Whose permissions are shown."""

    SERVICE = "service"
    HOST = "host"
    LATTICE = "lattice"
    OPERATOR = "operator"
    AUDITOR = "auditor"


_PERMISSIONS: "dict[Role, Callable[[Names], Permissions]]" = {
    Role.SERVICE: roles.service,
    Role.LATTICE: roles.lattice_user,
    Role.OPERATOR: roles.operator,
    Role.AUDITOR: roles.auditor,
}


@app.command()
def init(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A new folder.", file_okay=False)],
    *,
    lattice: Annotated[
        list[str] | None, typer.Option(help="A lattice whose hosts ask; repeatable.")
    ] = None,
    prefix: Prefix = _DEFAULTS.prefix,
    backend: Backend = _DEFAULTS.backend,
    bucket: Bucket = _DEFAULTS.bucket,
    stream: Stream = _DEFAULTS.stream,
) -> None:
    """Write an operator, accounts, users, their logins, and what nats-server includes.

    Each lattice, the service and people have accounts of their own. No login expires.
    """
    from adapters.nats_auth.folder import CONFIG, write_setup
    from adapters.nats_auth.setup import new_setup
    from adapters.system.clock import SystemClock

    def made() -> Names:
        names = Names(prefix, backend, bucket, stream, tuple(lattice or ("default",)))
        write_setup(folder, names, new_setup(names, int(SystemClock().now())))
        return names

    names = guarded(made)
    say(f"nats-server   include {folder / CONFIG}, and turn JetStream on")
    say(f"the service   NATS_CREDENTIALS_FILE={folder}/creds/service.creds")
    say(
        f"people        {folder}/creds/operator.creds and auditor.creds, "
        f"with NATS_JETSTREAM_PREFIX={roles.PEOPLES_JETSTREAM}"
    )
    for name in names.lattices:
        _say_lattice(folder, name)
    say(f"Keep {folder}/keys offline: operator.seed signs accounts, the others sign users.")


@app.command("add-lattice")
def add(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A folder that init has written.")],
    lattice: Annotated[str, typer.Argument(help="The lattice's name.")],
) -> None:
    """Add a lattice's account and logins. The servers must then reload their configuration."""
    from adapters.nats_auth.folder import CONFIG, add_lattice
    from adapters.system.clock import SystemClock

    guarded(lambda: add_lattice(folder, lattice, int(SystemClock().now())))
    say(f"nats-server   reload: {folder / CONFIG} has one account more")
    _say_lattice(folder, lattice)


@app.command()
def permissions(
    role: Annotated[Role, typer.Argument(help="Whose permissions.")],
    *,
    lattice: Annotated[str, typer.Option(help="The host's lattice.")] = "default",
    shared_account: Annotated[
        bool,
        typer.Option(
            "--shared-account", help="Hosts share one account with others: no calls by wRPC."
        ),
    ] = False,
    prefix: Prefix = _DEFAULTS.prefix,
    backend: Backend = _DEFAULTS.backend,
    bucket: Bucket = _DEFAULTS.bucket,
    stream: Stream = _DEFAULTS.stream,
) -> None:
    """Print a role's permissions in nats-server's configuration language."""

    def chosen() -> Permissions:
        names = Names(prefix, backend, bucket, stream, (lattice,))
        if role is Role.HOST:
            return roles.host(names, lattice, alone=not shared_account)
        return _PERMISSIONS[role](names)

    from adapters.nats_auth.folder import permissions_text

    write(permissions_text(guarded(chosen)))


@app.command("lattice-buckets")
def lattice_buckets(
    lattice: Annotated[str, typer.Argument(help="The lattice's name.")] = "default",
    *,
    replicas: Annotated[int, typer.Option(min=1, max=5, help="Servers that hold each.")] = 1,
) -> None:
    """Make the two buckets that a lattice's hosts need and may not make.

    Log in as the lattice's own user: NATS_CREDENTIALS_FILE=DIR/creds/lattice-NAME.creds.
    """

    async def make() -> None:
        async with open_nats() as client:
            for kind in ("LATTICEDATA", "CONFIGDATA"):
                await _make_bucket(client, f"{kind}_{lattice}", replicas)

    guarded(lambda: Names("x", "x", "X", "X", (lattice,)))
    run(make)


async def _make_bucket(client: "Client", bucket: str, replicas: int) -> None:
    import nats.errors
    import nats.js.errors

    jetstream = client.jetstream()
    try:
        try:
            await jetstream.key_value(bucket)
        except nats.js.errors.BucketNotFoundError:
            await jetstream.create_key_value(
                bucket=bucket, history=1, replicas=replicas, direct=True
            )
            say(f"{bucket} made")
        else:
            say(f"{bucket} is there already")
    except (nats.errors.Error, nats.js.errors.Error, TimeoutError):
        problem = (
            f"{bucket} could not be made. Check that JetStream is on, and that this login may make "
            "streams: it should be the lattice's, not a host's."
        )
        raise CommandError(problem) from None


def _say_lattice(folder: Path, lattice: str) -> None:
    creds = folder / "creds"
    say(f"lattice       {lattice}")
    say(f"  its hosts   {creds}/host-{lattice}.creds, or .jwt and .seed of that name")
    say(f"  wadm, wash  {creds}/lattice-{lattice}.creds")
    say(
        f"  once        NATS_CREDENTIALS_FILE={creds}/lattice-{lattice}.creds "
        f"wasmcloud-secrets nats-auth lattice-buckets {lattice}"
    )
