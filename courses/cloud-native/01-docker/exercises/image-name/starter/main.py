import json


def parse(name):
    """이미지 이름을 네 조각으로 나눠요."""
    repository, _, tag = name.partition(":")
    return {"registry": "docker.io", "repository": repository, "tag": tag, "digest": None}


print(json.dumps(parse(input().strip())))
