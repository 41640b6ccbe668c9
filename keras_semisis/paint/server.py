"""The page and what it asks, served on this machine."""

import re
import socket
from collections.abc import Awaitable, Callable
from pathlib import Path

import anyio
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from keras_semisis.paint import LOOPBACK
from keras_semisis.paint.easel import Easel, label_bytes

# a label map that is opened; those that are painted have the model's size
MOST_BYTES = 32 * 2**20
# requests that wait for the model
MOST_WAITING = 8
_STATIC = Path(__file__).parent / "static"
# nothing is loaded from, or sent to, anywhere else
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src 'self' blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


def listening(host: str, port: int) -> socket.socket:
    """A socket that listens.

    Raises:
        OSError: If the port is taken, or there is no such address.
    """
    try:
        return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except (OSError, OverflowError) as error:
        what = str(getattr(error, "strerror", None) or error).rstrip(".")
        raise OSError(f"--host {host} --port {port}: {what}. --port 0 takes any that is free.") from error


class _TooMuch(ValueError):
    """A request that is refused for its size or for those before it."""

    def __init__(self, message, status):
        super().__init__(message)
        self.status = status


def make_app(easel: Easel, hosts: tuple[str, ...] = LOOPBACK) -> Starlette:
    """The application.

    Args:
        easel: What draws.
        hosts: Names by which browsers may ask for it. A page of another name, which a hostile name server can lead to this
            machine, is refused, and so is a request that another page sends.
    """
    waiting = 0

    async def in_turn(function: Callable[..., bytes], *arguments) -> bytes:
        nonlocal waiting
        if waiting >= MOST_WAITING:
            raise _TooMuch(f"{waiting} requests are waiting already. Try again in a moment.", 429)
        waiting += 1
        try:
            return await anyio.to_thread.run_sync(function, *arguments)
        finally:
            waiting -= 1

    async def model(request: Request) -> Response:
        return JSONResponse(easel.describe())

    async def example(request: Request) -> Response:
        number = int(request.path_params["number"])
        if not number < len(easel.examples):
            raise ValueError(f"There are {len(easel.examples)} examples, and no number {number}.")
        return _octets(label_bytes(easel.examples[number]))

    async def open_file(request: Request) -> Response:
        name = request.query_params.get("name", "the file")[:200]
        content = await _body(request, MOST_BYTES)
        return _octets(await in_turn(lambda: label_bytes(easel.open(content, name))))

    async def photos(request: Request) -> Response:
        label_map, seed = await _label_map(request), _number(request, "seed")
        return Response(await in_turn(easel.draw, label_map, seed, _number(request, "count", 1)), media_type="image/png")

    async def segmentation(request: Request) -> Response:
        label_map = await _label_map(request)
        return Response(await in_turn(easel.segment, label_map, _number(request, "seed")), media_type="image/png")

    async def label_map(request: Request) -> Response:
        return Response(easel.write(await _label_map(request)), media_type="image/png")

    async def pair(request: Request) -> Response:
        name = re.sub(r"[^\w-]", "_", request.query_params.get("name", "painting"))[:80] or "painting"
        label_map, seed = await _label_map(request), _number(request, "seed")
        return Response(await in_turn(easel.write_pair, label_map, seed, name), media_type="application/zip")

    async def _label_map(request):
        height, width = easel.model.image_size
        return easel.read(await _body(request, 2 * height * width))

    async def page(request: Request) -> Response:
        return Response((_STATIC / "index.html").read_bytes(), media_type="text/html; charset=utf-8")

    posted = {"open": open_file, "photos": photos, "segmentation": segmentation, "label_map": label_map, "pair": pair}
    return Starlette(
        routes=[
            Route("/", page),
            Route("/api/model", model),
            Route("/api/examples/{number:int}", example),
            *(Route(f"/api/{name}", function, methods=["POST"]) for name, function in posted.items()),
            Mount("/static", StaticFiles(directory=_STATIC)),
        ],
        middleware=[
            Middleware(TrustedHostMiddleware, allowed_hosts=list(hosts)),
            Middleware(BaseHTTPMiddleware, dispatch=_same_origin),
        ],
        exception_handlers={Exception: _broken, ValueError: _refused},
    )


async def _same_origin(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
    """Refuses what another page sends, and says of every answer that nothing else may use it."""
    origin = request.headers.get("origin")
    if origin is not None and origin not in {f"{scheme}://{request.headers['host']}" for scheme in ("http", "https")}:
        response: Response = JSONResponse({"error": f"A page of {origin} may not ask this program."}, status_code=403)
    else:
        response = await call_next(request)
    response.headers.update(_HEADERS)
    return response


async def _refused(request: Request, error: Exception) -> Response:
    return JSONResponse({"error": str(error)}, status_code=getattr(error, "status", 400))


async def _broken(request: Request, error: Exception) -> Response:
    return JSONResponse({"error": f"{type(error).__name__}: {error}"}, status_code=500)


async def _body(request, most):
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > most:
            raise _TooMuch(f"More than {most:,} bytes were sent, which no label map here has.", 413)
        parts.append(part)
    return b"".join(parts)


def _number(request, name, default=0):
    text = request.query_params.get(name, str(default))
    if not re.fullmatch(r"\d{1,9}", text):
        raise ValueError(f"{name}={text!r} is no number from 0 to 999999999.")
    return int(text)


def _octets(content):
    return Response(content, media_type="application/octet-stream")
