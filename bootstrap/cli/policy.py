"""`policy`: check, explain and draft access policy files, before they bite."""

from bootstrap.cli.policy_check import check
from bootstrap.cli.policy_draft import draft, import_nats_kv
from bootstrap.cli.policy_explain import explain
from bootstrap.cli.reporting import command_group

app = command_group("policy", "Check, explain and draft the access policy file.")
app.command()(check)
app.command()(explain)
app.command()(draft)
app.command("import-nats-kv")(import_nats_kv)
