"""`python -m bootstrap.cli`: the command line without an installed script."""

from bootstrap.cli import app

app()
