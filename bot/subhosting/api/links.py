"""The `Link` header of lists that go on by a cursor."""

from urllib.parse import urlencode

from flask import Response, request

from bot.subhosting.api.requests import services


def add_next(response: Response, cursor: str | None) -> Response:
    """Say where the list goes on, if it does.

    The URL is absolute and has neither comma nor semicolon, see `bot.subhosting.api.paging`.
    """
    if cursor is not None:
        query = [pair for pair in request.args.items(multi=True) if pair[0] != "cursor"]
        parameters = urlencode([*query, ("cursor", cursor)])
        url = f"{services().config.api_url.rstrip('/')}{request.path}?{parameters}"
        response.headers["Link"] = f'<{url}>; rel="next"'
    return response
