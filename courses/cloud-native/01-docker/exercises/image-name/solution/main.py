import json


def parse(name):
    """이미지 이름을 네 조각으로 나눠요."""
    rest, _, digest = name.partition("@")
    first, slash, after = rest.partition("/")
    if slash and ("." in first or ":" in first or first == "localhost"):
        registry, rest = first, after
    else:
        registry = "docker.io"
    folder, slash, last = rest.rpartition("/")
    last, _, tag = last.partition(":")
    repository = folder + slash + last
    if registry == "docker.io" and "/" not in repository:
        repository = f"library/{repository}"
    if not tag and not digest:
        tag = "latest"
    return {"registry": registry, "repository": repository, "tag": tag or None, "digest": digest or None}


print(json.dumps(parse(input().strip())))
