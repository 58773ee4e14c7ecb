"""Answers of files and pictures, with conditional requests (RFC 9110, section 13)."""

from contextlib import ExitStack

from starlette.responses import FileResponse, Response
from starlette.types import Receive, Scope, Send

from castline import Library

YEAR_SECONDS = 365 * 24 * 3600


class VideoResponse(FileResponse):
    """An episode's file, in ranges; it is closed when the answer ended."""

    def __init__(self, library: Library, episode: int) -> None:
        self._closing = ExitStack()
        video = self._closing.enter_context(library.open_video(episode))
        headers = {
            "etag": f'"{video.sha256}"',
            "cache-control": "private, no-cache",
        }
        # Without a file name, which would make it a download.
        super().__init__(
            video.place, headers=headers, media_type=video.media_type, stat_result=video.status
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer: not modified, a range, or all of it."""
        with self._closing:
            headers = dict(scope["headers"])
            if is_known(self.headers["etag"], headers.get(b"if-none-match", b"").decode("latin-1")):
                await not_modified(self)(scope, receive, send)
            else:
                await super().__call__(scope, receive, send)


def is_known(etag: str, if_none_match: str) -> bool:
    """Tell whether a client has this version, by its header If-None-Match."""
    given = {each.strip().removeprefix("W/") for each in if_none_match.split(",")}
    return "*" in given or etag.removeprefix("W/") in given


def not_modified(answer: Response) -> Response:
    """Return the answer 304 in place of a whole answer."""
    kept = ("etag", "cache-control", "vary", "last-modified")
    return Response(
        status_code=304,
        headers={name: answer.headers[name] for name in kept if name in answer.headers},
    )


def jpeg_response(content: bytes, *, is_immutable: bool) -> Response:
    """Return a picture; an immutable one is never asked for again."""
    cached = f"private, max-age={YEAR_SECONDS}, immutable" if is_immutable else "private, no-cache"
    return Response(content, media_type="image/jpeg", headers={"cache-control": cached})
