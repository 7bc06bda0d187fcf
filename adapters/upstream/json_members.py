"""Members of what a server answered, where nothing says that they are there."""


def member_of(document: object, *path: str) -> object:
    """Return what stands at a path; None where a member is missing, or its holder is no object."""
    for name in path:
        document = document.get(name) if isinstance(document, dict) else None
    return document
