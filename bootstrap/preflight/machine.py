"""What can be checked on this machine alone: files and modes, rules, the port, the disk."""

from __future__ import annotations

import errno
import shutil
import socket
from pathlib import Path
from typing import TYPE_CHECKING, Final

from adapters.access_policy.file import read_policy_file
from adapters.access_policy.problems import AccessPolicyError
from adapters.access_policy.summary import denials_in_words, grants_in_words
from adapters.system.files import read_file

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bootstrap.preflight import Findings
    from bootstrap.settings import Configuration, Settings

_LITTLE_ROOM: Final = 1024**3
_CREDENTIALS: Final = (
    "seed_file",
    "secret_file",
    "secret_id_file",
    "token_file",
    "jwt_file",
    "credentials_file",
    "key_file",
    "headers_file",
    "client_key",
)
"""How the names of fields end whose files only the service is to read."""


def check_machine(configuration: Configuration, findings: Findings) -> None:
    """Look at everything that needs no connection."""
    _files(configuration, findings)
    _rules(configuration.service, findings)
    _port(configuration.service, findings)
    _disk(configuration.service, findings)


def _files(configuration: Configuration, findings: Findings) -> None:
    unusable = configuration.unusable()
    findings.misconfigured("files", *(p for p in unusable if p.setting != "ACCESS_POLICY_FILE"))
    for variable, path in _credential_files(configuration):
        try:
            content = read_file(path, 1)
        except FileNotFoundError:
            findings.warn(
                "files", f"{variable}: {path} does not exist; only `serve` makes a seed file."
            )
        except OSError:
            pass  # named above
        else:
            if content.open_to_others:
                findings.warn(
                    "files",
                    f"{variable}: other users may use {path} (mode {content.mode:04o}); run chmod "
                    "0600 on it, or mount it so.",
                )
            else:
                findings.ok("files", f"{variable}: {path}, mode {content.mode:04o}")


def _credential_files(configuration: Configuration) -> Iterator[tuple[str, Path]]:
    for group in configuration.groups:
        for name, variables in group.variables().items():
            path = getattr(group, name)
            if isinstance(path, Path) and name.endswith(_CREDENTIALS):
                yield variables[0], path


def _rules(settings: Settings, findings: Findings) -> None:
    topic = "policy"
    if settings.observes_only:
        findings.warn(topic, "AUTHORIZATION_MODE is observe: no request is refused by rules.")
    if settings.access_policy_file is None:
        if settings.trusted_issuers:
            count = len(settings.trusted_issuers)
            findings.ok(topic, f"TRUSTED_ISSUERS: {count}; what they sign may read every secret.")
        else:
            findings.warn(
                topic,
                "Any signature is trusted, so every client that the transport lets ask may read "
                "every secret; set ACCESS_POLICY_FILE or TRUSTED_ISSUERS.",
            )
        return
    _policy_file(settings.access_policy_file, settings, findings)


def _policy_file(path: Path, settings: Settings, findings: Findings) -> None:
    topic = "policy"
    try:
        document = read_policy_file(path)
    except AccessPolicyError as error:
        findings.misconfigured(topic, *(f"ACCESS_POLICY_FILE {each}" for each in error.problems))
        return
    rules = document.rules
    said = (
        f"{path}: {len(rules.issuers)} issuers, {len(rules.grants)} grants, "
        f"{len(rules.denials)} denials"
    )
    if rules.issuers and rules.grants:
        findings.ok(topic, said)
    elif settings.require_access_policy:
        findings.misconfigured(topic, f"{said}; REQUIRE_ACCESS_POLICY insists on both.")
    else:
        findings.warn(topic, f"{said}; every request is refused.")
    for warning in document.warnings:
        findings.warn(topic, str(warning))
    for rules_in_words, verb in (
        (grants_in_words(document), "may read"),
        (denials_in_words(document), "may never read"),
    ):
        for rule in rules_in_words:
            only_if = f", only if {_one_line(rule.only_if)}" if rule.only_if else ""
            who, what = _one_line(rule.who), _one_line(rule.what)
            findings.ok(topic, f"{rule.name}: {who} {verb} {what}{only_if}")


def _port(settings: Settings, findings: Findings) -> None:
    first = settings.admin_address
    if first is None:
        return
    for port in range(first.port, first.port + settings.workers):
        family = socket.AF_INET6 if ":" in first.host else socket.AF_INET
        where = f"ADMIN_ADDR: port {port} of {first.host}"
        with socket.socket(family, socket.SOCK_STREAM) as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                listener.bind((first.host, port))
                listener.listen(1)
            except OSError as error:
                if error.errno == errno.EADDRINUSE:
                    findings.warn("ports", f"{where} is taken; good if by this service itself.")
                else:
                    reason = errno.errorcode.get(error.errno or 0, "unknown host")
                    findings.misconfigured("ports", f"{where} cannot be listened on ({reason}).")
            else:
                findings.ok("ports", f"{where} is free.")


def _disk(settings: Settings, findings: Findings) -> None:
    path = settings.audit_file
    if path is None or not path.parent.is_dir():
        return
    free = shutil.disk_usage(path.parent).free
    said = f"AUDIT_FILE: {free / 1024**3:.1f} GiB free under {path.parent}"
    if free < _LITTLE_ROOM:
        findings.warn("disk", f"{said}; make room: when it is full, requests are refused.")
    else:
        findings.ok("disk", said)


def _one_line(text: str) -> str:
    return " ".join(text.split())
