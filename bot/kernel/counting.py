"""Numbers of things in sentences for people."""


def noun(number: int, one: str) -> str:
    """Return the word for `number` of what is called `one`: "file" or "files"."""
    return one if number == 1 else f"{one}s"


def counted(number: int, one: str) -> str:
    """Return the same with the number before it: "no files", "1 file" or "2 files"."""
    return f"{number or 'no'} {noun(number, one)}"
