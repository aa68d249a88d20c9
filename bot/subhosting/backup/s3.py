"""Backups in an S3 bucket that a stranger named: any endpoint but one inside our network."""

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

import httpx
from pydantic import SecretStr

from bot.kernel.clock import Clock
from bot.subhosting.backup.sigv4 import S3Credentials, canonical_path, signed_headers
from bot.subhosting.backup.targets import NotStored, Stored, check_name, joined, prefix_problem
from bot.subhosting.trust.addresses import AddressPolicy, AddressRefused
from bot.subhosting.trust.pinned import guarded_client

# One PUT; more would need a multipart upload.
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/upload-objects.html
MAX_OBJECT_BYTES = 5 * 1024**3

_SUCCESS = range(200, 300)

# https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_REGION = re.compile(r"[A-Za-z0-9-]{1,64}")
# No slash, comma or blank: they would change what the Authorization header says.
_ACCESS_KEY_ID = re.compile(r"[A-Za-z0-9_.:+@-]{1,128}")
_MAX_SECRET_CHARS = 512

# What S3 says in its error documents: https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
_ERROR_CODE = re.compile(rb"<Code>([A-Za-z0-9.]{1,80})</Code>")
_MAX_ERROR_BYTES = 16_384


@dataclass(frozen=True, slots=True, kw_only=True)
class S3Settings:
    """v1's EnableKvDatabaseBackupRequest, checked. The secret is not in its repr."""

    endpoint: str
    bucket_name: str
    bucket_region: str
    access_key_id: str
    secret_access_key: SecretStr
    prefix: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingsProblem:
    """A 400: the field as v1 spells it, and what is wrong with it."""

    field: str
    message: str


def problem(settings: S3Settings, policy: AddressPolicy) -> SettingsProblem | None:
    """Return what is wrong with the settings; asks DNS, but never the endpoint."""
    endpoint = _endpoint_problem(settings.endpoint)
    if endpoint is None:
        try:
            policy.checked(httpx.URL(settings.endpoint).raw_host.decode("ascii"))
        except AddressRefused as error:
            endpoint = error.message
    secret = settings.secret_access_key.get_secret_value()
    checks = (
        ("endpoint", endpoint),
        ("bucketName", _form_problem(_BUCKET, settings.bucket_name)),
        ("bucketRegion", _form_problem(_REGION, settings.bucket_region)),
        ("accessKeyId", _form_problem(_ACCESS_KEY_ID, settings.access_key_id)),
        ("secretAccessKey", _secret_problem(secret)),
        ("prefix", prefix_problem(settings.prefix)),
    )
    found = ((field, message) for field, message in checks if message is not None)
    return next((SettingsProblem(field=field, message=message) for field, message in found), None)


class S3Target:
    """One bucket, addressed by path, which every S3-compatible server understands."""

    def __init__(self, settings: S3Settings, policy: AddressPolicy, clock: Clock) -> None:
        """Store by `settings`, in which `problem` found none."""
        self._settings = settings
        self._policy = policy
        self._clock = clock

    def put(self, name: str, content: Path) -> Stored | NotStored:
        """Upload the file in one signed request; its address is checked again and pinned."""
        check_name(name)
        size_bytes = content.stat().st_size
        if size_bytes > MAX_OBJECT_BYTES:
            return NotStored(f"the database has {size_bytes} bytes; S3 takes {MAX_OBJECT_BYTES}")
        try:
            with guarded_client(self._policy) as client:
                return self._sent(client, joined(self._settings.prefix, name), content, size_bytes)
        except AddressRefused as error:
            return NotStored(f"endpoint: {error.message}")
        except httpx.HTTPError as error:
            return NotStored(f"endpoint: could not be reached ({type(error).__name__})")

    def _sent(
        self, client: httpx.Client, key: str, content: Path, size_bytes: int
    ) -> Stored | NotStored:
        settings = self._settings
        endpoint = httpx.URL(settings.endpoint)
        path = canonical_path(f"{endpoint.path.rstrip('/')}/{settings.bucket_name}/{key}")
        url = endpoint.copy_with(raw_path=path.encode("ascii"))
        with content.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
            file.seek(0)
            headers = signed_headers(
                S3Credentials(
                    access_key_id=settings.access_key_id,
                    secret_access_key=settings.secret_access_key,
                    region=settings.bucket_region,
                ),
                method="PUT",
                path=path,
                headers={"Host": url.netloc.decode("ascii"), "Content-Length": str(size_bytes)},
                content_sha256=digest,
                now=self._clock.now(),
            )
            headers["Accept-Encoding"] = "identity"  # not signed: proxies change it
            with client.stream("PUT", url, headers=headers, content=file) as response:
                if response.status_code in _SUCCESS:
                    return Stored(
                        place=f"s3://{settings.bucket_name}/{key}", size_bytes=size_bytes
                    )
                return NotStored(f"S3 answered {response.status_code}{_error_code(response)}")


def _error_code(response: httpx.Response) -> str:
    """Return S3's word for what is wrong, or nothing; the rest of its answer is not shown."""
    content = b""
    for part in response.iter_raw():
        content += part
        if len(content) > _MAX_ERROR_BYTES:
            break
    found = _ERROR_CODE.search(content[:_MAX_ERROR_BYTES])
    return "" if found is None else f" {found.group(1).decode('ascii')}"


def _endpoint_problem(endpoint: str) -> str | None:
    try:
        url = httpx.URL(endpoint)
    except httpx.InvalidURL:
        return "is not a URL"
    if url.scheme not in {"https", "http"} or not url.host:
        return "must begin with https://"
    if url.userinfo or url.query or url.fragment:
        return "must have no user, query or fragment"
    return None


def _form_problem(form: re.Pattern[str], text: str) -> str | None:
    return None if form.fullmatch(text) is not None else "has an unknown form"


def _secret_problem(secret: str) -> str | None:
    if not secret or len(secret) > _MAX_SECRET_CHARS or not secret.isascii():
        return f"must have 1 to {_MAX_SECRET_CHARS} ASCII characters"
    return None
