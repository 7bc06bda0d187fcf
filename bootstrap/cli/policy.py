"""`policy`: check, explain and draft access policy files, before they bite."""

import typer

from bootstrap.cli.plain_help import PlainGroup
from bootstrap.cli.policy_check import check
from bootstrap.cli.policy_draft import draft, import_nats_kv
from bootstrap.cli.policy_explain import explain

app = typer.Typer(
    name="policy",
    help="Check, explain and draft the access policy file.",
    cls=PlainGroup,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
app.command()(check)
app.command()(explain)
app.command()(draft)
app.command("import-nats-kv")(import_nats_kv)
