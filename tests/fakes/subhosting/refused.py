"""How a fake platform says no."""

Json = dict[str, object]


class Refused(Exception):  # noqa: N818 - reads as a sentence in `except`
    """An error answer."""

    def __init__(self, status: int, code: str, message: str = "no") -> None:
        super().__init__(message)
        self.status = status
        self.body: Json = {"code": code, "message": message}
