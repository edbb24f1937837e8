"""HTTPS and wss without a proxy: a certificate, read again when its files change."""

from __future__ import annotations

import asyncio
import ssl
from pathlib import Path

import structlog
from pydantic import BaseModel, Field

logger = structlog.get_logger(__name__)
CHECK_S = 5.0
"""Seconds between two looks at the files."""


class TlsSettings(BaseModel):
    """Where the certificate is, if there is one."""

    tls_cert: Path | None = Field(
        None,
        description="Certificate chain (PEM). With it, HTTPS and wss are served instead of HTTP "
        "and ws; the file is read again when it changes. Needs `tls_key`.",
    )
    tls_key: Path | None = Field(None, description="Private key (PEM) of `tls_cert`.")

    def certificate(self) -> Certificate | None:
        """Return the certificate to serve, None without one; raises ValueError or OSError."""
        if self.tls_cert is None and self.tls_key is None:
            return None
        if self.tls_cert is None or self.tls_key is None:
            raise ValueError("--tls-cert and --tls-key: give both, or neither")
        return Certificate(self.tls_cert, self.tls_key)


class Certificate:
    """A certificate chain and its key, both in PEM. Raises OSError if they cannot be used."""

    def __init__(self, cert: Path, key: Path) -> None:
        self._cert = cert
        self._key = key
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.minimum_version = ssl.TLSVersion.TLSv1_2
        self._stamp = self._load(self.context)

    def renew(self) -> bool:
        """Take the files if they have changed and fit; new connections then get the new ones.

        Returns whether it did. Files that do not fit, perhaps because only one of them has been
        replaced yet, leave everything as it is.
        """
        try:
            if self._stamps() == self._stamp:
                return False
            stamp = self._load(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER))
            self.context.load_cert_chain(self._cert, self._key)
        except OSError as error:
            logger.warning("the new certificate cannot be used; the old one stays", why=str(error))
            return False
        self._stamp = stamp
        logger.info("certificate renewed", file=str(self._cert))
        return True

    async def keep_renewing(self) -> None:
        """Look for changed files until cancelled."""
        while True:
            await asyncio.sleep(CHECK_S)
            await asyncio.to_thread(self.renew)

    def _load(self, context: ssl.SSLContext) -> tuple[int, int]:
        stamp = self._stamps()
        try:
            # With a password of our own, a locked key fails instead of asking at the terminal.
            context.load_cert_chain(self._cert, self._key, password=lambda: "")
        except ssl.SSLError as error:
            raise OSError(
                f"--tls-cert {self._cert} and --tls-key {self._key} cannot be used: "
                f"{error.reason or error}; both must be PEM, belong together, and have no password"
            ) from error
        return stamp

    def _stamps(self) -> tuple[int, int]:
        return self._cert.stat().st_mtime_ns, self._key.stat().st_mtime_ns
