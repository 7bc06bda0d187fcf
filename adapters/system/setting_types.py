"""Types for the fields of a `SettingsGroup`, each checked as far as it can be at start.

A list is written with commas between its entries.
"""

import os
import re
import unicodedata
from functools import partial
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import SplitResult, urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr

from adapters.crypto.nkeys_text import InvalidNKeyError, KeyKind, decode_public, decode_seed
from domain.model.errors import InvalidRequest
from domain.model.identity import AccountKey
from domain.model.key_path import parse_folder

_WORD = "[A-Za-z0-9_-]+"
_CONTROL = frozenset({"Cc", "Cs", "Zl", "Zp"})
"""Categories of control characters, halves of surrogate pairs and separators of lines."""

_NATS_SCHEMES = {"nats", "tls"}
_PERCENT_ENCODING = (
    "In a user name, password or token write / as %2F, ? as %3F, # as %23, @ as %40, : as %3A, "
    "a comma as %2C and % as %25."
)


def strip(value: Any) -> Any:
    """Return a text without space around it, and anything else as it is."""
    return value.strip() if isinstance(value, str) else value


def _lower(value: Any) -> Any:
    return value.strip().lower() if isinstance(value, str) else value


def _split_commas(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    return tuple(part.strip() for part in value.split(",") if part.strip())


def _of_form(pattern: str, advice: str) -> AfterValidator:
    form = re.compile(pattern)

    def checked(text: str) -> str:
        if not form.fullmatch(text):
            raise ValueError(advice)
        return text

    return AfterValidator(checked)


def _nats_server(text: str) -> str:
    url = text if "://" in text else f"nats://{text}"
    try:
        parts = urlsplit(url)
        usable = parts.scheme in _NATS_SCHEMES and bool(parts.hostname) and parts.port != 0
        extra = parts.path not in {"", "/"} or bool(parts.query) or bool(parts.fragment)
    except ValueError:
        usable, extra = False, False
    if not usable or extra:
        raise ValueError(
            "must be an address such as nats://host:4222 or tls://host:4222, with nothing behind "
            f"the port. {_PERCENT_ENCODING}"
        )
    return url


def _http_url(text: str) -> str:
    try:
        parts = urlsplit(text)
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
        text = _with_ascii_host(parts)
    except ValueError:
        usable = False
    if not usable or parts.query or parts.fragment:
        raise ValueError(
            "must be an address such as https://secrets.example.com, with nothing behind its path."
        )
    if "@" in parts.netloc:
        raise ValueError("must hold no credentials; use the settings made for them.")
    return text.rstrip("/")


def _with_ascii_host(url: SplitResult) -> str:
    """Return a URL as it goes over the wire; a ValueError says that its host can have no address.

    A resolver takes labels of 63 bytes at most, and none that is empty.
    """
    host = url.hostname or ""
    name = host.encode("idna").decode()
    if host.isascii():
        return url.geturl()
    return url._replace(netloc=url.netloc.lower().replace(host, name)).geturl()


def is_server_name(text: str) -> bool:
    """Say whether a certificate can be for this name."""
    try:
        text.encode("idna")
    except UnicodeError:
        return False
    return text.isprintable() and "/" not in text


def _server_name(text: str) -> str:
    if not is_server_name(text):
        raise ValueError("must be a host's name such as secrets.example.com.")
    return text


def _readable_file(path: Path) -> Path:
    if path.exists() and not path.is_file():
        raise ValueError("names what is no regular file; name a file.")
    if not path.is_file():
        raise ValueError("names a file that does not exist; check the path and the mount.")
    if not os.access(path, os.R_OK):
        raise ValueError("names a file that this user may not read; change its owner or mode.")
    return path


def _folder(text: str) -> str:
    try:
        return "/" + "/".join(parse_folder(text))
    except InvalidRequest as error:
        raise ValueError(f"must be a folder such as /payments. {error.advice}") from None


def _account_key(text: str) -> AccountKey:
    try:
        decode_public(text, KeyKind.ACCOUNT)
    except InvalidNKeyError as error:
        raise ValueError(f"must be an account's public key (A…). {error}") from None
    return AccountKey(text)


def _seed(kind: KeyKind, example: str, secret: SecretStr) -> SecretStr:
    try:
        decode_seed(secret.get_secret_value(), kind)
    except InvalidNKeyError as error:
        advice = str(error)
    else:
        return secret
    raise ValueError(f"must be a seed ({example}…). {advice}")


def _one_line(secret: SecretStr) -> SecretStr:
    if not is_one_line(secret.get_secret_value()):
        raise ValueError(
            "holds a line end or another control character, which no such secret can hold; set it "
            "again, alone."
        )
    return secret


def is_one_line(text: str) -> bool:
    """Whether a text holds no line end and no other control character."""
    return not any(unicodedata.category(character) in _CONTROL for character in text)


Text = Annotated[str, Field(min_length=1), BeforeValidator(strip)]
Choice = BeforeValidator(_lower)
SecretText = Annotated[
    SecretStr, Field(min_length=1), BeforeValidator(strip), AfterValidator(_one_line)
]
XKeySeed = Annotated[
    SecretStr, BeforeValidator(strip), AfterValidator(partial(_seed, KeyKind.XKEY, "SX"))
]
UserSeed = Annotated[
    SecretStr, BeforeValidator(strip), AfterValidator(partial(_seed, KeyKind.USER, "SU"))
]
SubjectToken = Annotated[
    str,
    BeforeValidator(strip),
    _of_form(_WORD, 'must be one subject token: letters, digits, "-" and "_".'),
]
SubjectPrefix = Annotated[
    str,
    BeforeValidator(strip),
    _of_form(
        rf"{_WORD}(\.{_WORD})*",
        'must be subject tokens (letters, digits, "-", "_") joined by ".".',
    ),
]
ApiPrefix = Annotated[
    str,
    BeforeValidator(strip),
    _of_form(
        rf"\$?{_WORD}(\.\$?{_WORD})*", 'must be subject tokens joined by ".", such as $JS.API.'
    ),
]
HttpUrl = Annotated[str, BeforeValidator(strip), AfterValidator(_http_url)]
HttpUrls = Annotated[tuple[HttpUrl, ...], BeforeValidator(_split_commas)]
ServerName = Annotated[
    str, Field(min_length=1), BeforeValidator(strip), AfterValidator(_server_name)
]
ReadableFile = Annotated[Path, AfterValidator(_readable_file)]
Folder = Annotated[str, BeforeValidator(strip), AfterValidator(_folder)]
Seconds = Annotated[float, Field(gt=0, allow_inf_nan=False)]

Texts = Annotated[tuple[str, ...], BeforeValidator(_split_commas)]
NatsServers = Annotated[
    tuple[Annotated[str, AfterValidator(_nats_server)], ...],
    BeforeValidator(_split_commas),
    Field(min_length=1),
]
Folders = Annotated[
    tuple[Annotated[str, AfterValidator(_folder)], ...], BeforeValidator(_split_commas)
]
AccountKeys = Annotated[
    tuple[Annotated[str, AfterValidator(_account_key)], ...],
    BeforeValidator(_split_commas),
]
XKeySeeds = Annotated[tuple[XKeySeed, ...], BeforeValidator(_split_commas)]
