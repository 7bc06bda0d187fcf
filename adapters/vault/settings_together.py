"""Which settings belong together, and which cannot stand beside each other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from ports.settings import Problem, both_set, one_without_other

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_PREFIX: Final = "VAULT_"
_PAIRS: Final = (
    ("token", "token_file"),
    ("role_id", "role_id_file"),
    ("secret_id", "secret_id_file"),
    ("wrapped_secret_id", "wrapped_secret_id_file"),
)
_SECRET_IDS: Final = ("secret_id", "secret_id_file")
_WRAPPED: Final = ("wrapped_secret_id", "wrapped_secret_id_file")
_FOR: Final[Mapping[str, tuple[str, ...]]] = {
    "approle": ("role_id", "role_id_file", *_SECRET_IDS, *_WRAPPED),
    "token": ("token", "token_file"),
    "jwt": ("jwt_file",),
    "kubernetes": ("jwt_file",),
    "cert": (),
    "agent": (),
    "caller": ("jwt_key_file", "allowed_roles"),
}
"""The settings that only some logins use; any other login leaves them without effect."""

_ROLE: Final = (("role",), "give the role that the login is for.")
_NEEDED: Final[Mapping[str, tuple[tuple[tuple[str, ...], str], ...]]] = {
    "approle": ((("role_id", "role_id_file"), "give the role_id, or a file of it."),),
    "token": ((("token", "token_file"), "give a token, or a file in VAULT_TOKEN_FILE."),),
    "jwt": (_ROLE, (("jwt_file",), "give a file that holds the JWT.")),
    "kubernetes": (_ROLE,),
    "cert": ((("client_cert",), "the login shows a certificate."),),
    "agent": (),
    "caller": (
        _ROLE,
        (("jwt_key_file",), "make a key by `openssl genpkey -algorithm ed25519 -out FILE`."),
    ),
}
"""What each login cannot do without: names of which one must be set, and the advice."""


def contradictions(given: Mapping[str, Any]) -> Iterator[Problem]:
    """Say what is missing, and which settings cannot stand together. `given`: the raw values by
    field name; fields that are unset are absent.
    """
    if "addr" not in given:
        yield Problem(
            "VAULT_ADDR",
            "is not set: give the address of Vault or OpenBao, or choose another SECRET_STORE.",
        )
    for pair in _PAIRS:
        yield from both_set(given, *pair, prefix=_PREFIX)
    yield from one_without_other(given, "client_cert", "client_key", prefix=_PREFIX)
    login = str(given.get("login", "")).strip().lower()
    if not login and given.keys() & {"token", "token_file"}:
        login = "token"
    if not login:
        yield Problem(
            "VAULT_LOGIN",
            f"is not set: choose {', '.join(_FOR)}, or give a token in VAULT_TOKEN.",
        )
        return
    if login not in _FOR:
        return
    yield from _unused(given, login)
    yield from _missing(given, login)


def _unused(given: Mapping[str, Any], login: str) -> Iterator[Problem]:
    used = set(_FOR[login])
    for others in _FOR.values():
        for name in others:
            if name in given and name not in used:
                used.add(name)
                yield Problem(
                    _PREFIX + name.upper(),
                    f"has no effect with VAULT_LOGIN={login}; remove it, or choose the login that "
                    "uses it.",
                )


def _missing(given: Mapping[str, Any], login: str) -> Iterator[Problem]:
    for names, advice in _NEEDED[login]:
        if not given.keys() & set(names):
            yield Problem(_PREFIX + names[0].upper(), f"is not set: {advice}")
    if login == "approle" and given.keys() & set(_WRAPPED):
        if given.keys() & set(_SECRET_IDS):
            yield Problem(
                "VAULT_SECRET_ID, VAULT_WRAPPED_SECRET_ID",
                "are both set, plain or as files; keep one of them.",
            )
        if "role" not in given:
            yield Problem("VAULT_ROLE", "is not set: give the role that the secret_id is for.")
    if login == "cert" and not str(given.get("addr", "https:")).strip().startswith("https:"):
        yield Problem("VAULT_ADDR", "must begin with https:// for a login by certificate.")
