"""Where webhooks come in, known without loading what takes them."""

from typing import Final

PATH: Final = "/webhooks/infisical"
