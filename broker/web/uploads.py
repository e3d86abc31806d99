"""Forms with a file: read in memory, bounded, and never laid on a disk.

What people upload in the console names pupils now and then. A library that spools what is large
would leave it in a folder of temporary files.
"""

from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass, field

from starlette.datastructures import FormData
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request

from broker.web.requests import (
    BODY_WITHIN_SECONDS,
    MAX_FIELDS,
    Parameters,
    RequestUnreadable,
    read_bounded,
    read_content_type,
)

UPLOAD_TYPE = "multipart/form-data"
MAX_FILES = 2
MAX_FIELD_BYTES = 64 * 1024
FORM_BYTES = 64 * 1024
"""Around the file itself: boundaries, headers and the other fields."""


@dataclass(frozen=True, slots=True)
class Upload:
    """The fields of a form, and the files in it by the name of their field."""

    fields: Parameters = field(repr=False)
    files: Mapping[str, bytes] = field(repr=False)

    def file(self, name: str) -> bytes:
        """Return a file, empty when none was chosen."""
        return self.files.get(name, b"")


class _InMemory(MultiPartParser):
    """Keeps every file in memory: `read_bounded` has bounded them all."""

    spool_max_size = 1 << 40


async def read_upload(request: Request, *, max_file_bytes: int) -> Upload:
    """Return a form with files.

    Args:
        max_file_bytes: of all files together.

    Raises:
        RequestUnreadable: another content type, no such form, or a field twice as a file.
        RequestTooLarge: over `max_file_bytes`; the rest is not read.
    """
    if read_content_type(request) != UPLOAD_TYPE:
        raise RequestUnreadable("check_content_type")
    if "charset" in request.headers["content-type"].lower():
        # No browser states one (RFC 7578 5.1.2), and the parser would take any that Python has:
        # some fail beyond what it catches, others make text that cannot be written down.
        raise RequestUnreadable("check_form_in_utf8")
    body = await read_bounded(
        request, max_bytes=max_file_bytes + FORM_BYTES, within_seconds=BODY_WITHIN_SECONDS
    )
    parser = _InMemory(
        request.headers,
        _once(body),
        max_files=MAX_FILES,
        max_fields=MAX_FIELDS,
        max_part_size=MAX_FIELD_BYTES,
    )
    try:
        form = await parser.parse()
    except (MultiPartException, UnicodeDecodeError, KeyError):
        form = None  # refused below: the error may quote what was sent
    if form is None:
        raise RequestUnreadable("check_multipart_form")
    try:
        return await _read_parts(form)
    finally:
        await form.close()


async def _read_parts(form: FormData) -> Upload:
    fields: Parameters = []
    files: dict[str, bytes] = {}
    for name, value in form.multi_items():
        if isinstance(value, str):
            fields.append((name, value))
        elif name in files:
            raise RequestUnreadable("check_file_once")
        else:
            files[name] = await value.read()
    return Upload(fields, files)


async def _once(body: bytes) -> AsyncGenerator[bytes, None]:
    yield body
