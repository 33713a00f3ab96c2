"""Was only what was broken mended? And when was what seen? Reads evidence on stdin, prints one result."""

import json
import sys

CONTAINER = ("deployment", "spec", "template", "spec", "containers", 0)
# What may differ from the broken state, by the fault: the place, and what stood there before the night.
FAULTS = {
    "image": (("Deployment", "이미지의 태그"), [((*CONTAINER, "image"), "shop:v2")]),
    "address": (("Deployment", "이미지를 받을 주소"), [((*CONTAINER, "image"), "shop:v2")]),
    "selector": (("Service", "selector"), [(("service", "spec", "selector"), {"app": "shop"})]),
    "port": (("Service", "targetPort"), [(("service", "spec", "ports", 0, "targetPort"), 8080)]),
    "probe": (
        ("Deployment", "readinessProbe의 경로"),
        [((*CONTAINER, "readinessProbe", "httpGet", "path"), "/healthz")],
    ),
    "key": (("ConfigMap", "키의 이름"), [(("config", "data"), {"GREETING": "어서 오세요"})]),
    "secret": (
        ("Deployment", "Secret의 이름"),
        [((*CONTAINER, "env", "TOKEN", "valueFrom", "secretKeyRef", "name"), "shop")],
    ),
    "requests": (("Deployment", "CPU requests"), [((*CONTAINER, "resources", "requests", "cpu"), "100m")]),
    "crash": (("Deployment", "SHOP_CRASH 환경 변수"), [((*CONTAINER, "env", "SHOP_CRASH"), None)]),
}
NAMES = {"config": "ConfigMap", "secret": "Secret", "service": "Service", "deployment": "Deployment"}
KEPT = {
    "config": [("data",)],
    "secret": [("data",)],
    "service": [("spec", "selector"), ("spec", "ports"), ("spec", "type"), ("spec", "clusterIP")],
    "deployment": [("spec", "replicas"), ("spec", "selector"), ("spec", "strategy"), ("spec", "template", "spec")],
}


def at(document, path):
    """What stands at a path of keys and indexes; None where nothing does. Env is addressed by name."""
    for step in path:
        if isinstance(document, list) and isinstance(step, str):
            document = next((one for one in document if isinstance(one, dict) and one.get("name") == step), None)
        elif isinstance(document, list) and isinstance(step, int) and step < len(document):
            document = document[step]
        elif isinstance(document, dict):
            document = document.get(step)
        else:
            return None
    return document


def put(document, path, value):
    """Write ``value`` at ``path``, or take away what stands there where it is None."""
    parent, last = at(document, path[:-1]), path[-1]
    if isinstance(parent, list) and isinstance(last, str):
        parent[:] = [one for one in parent if one.get("name") != last]
    elif isinstance(parent, dict):
        parent[last] = value
    elif isinstance(parent, list) and last < len(parent):
        parent[last] = value


def clean(documents):
    """The parts of each object that somebody may have changed."""
    found = {}
    for name, paths in KEPT.items():
        for path in paths:
            value = at(documents.get(name), path)
            found[(name, *path)] = json.dumps(value, sort_keys=True, ensure_ascii=False)
    return found


def judge(variables, evidence):
    fault = variables.get("fault")
    (kind, what), mends = FAULTS[fault]
    start = {name: evidence.get(f"baseline.{name}") for name in KEPT}
    wanted = json.loads(json.dumps(start))
    for path, value in mends:
        put(wanted, path, value)
    now = {name: evidence.get(name) for name in KEPT}
    broken, before, after = clean(start), clean(wanted), clean(now)
    strange = [place for place in before if before[place] != after[place]]
    touched = [place for place in strange if broken[place] != after[place]]
    before_uids, uids = ({name: at(all_of.get(name), ("metadata", "uid")) for name in KEPT} for all_of in (start, now))
    anew = [NAMES[name] for name in KEPT if uids[name] is None or uids[name] != before_uids[name]]
    # What was broken is said once it is mended: until then it is what the learner looks for.
    result = {"id": "only-the-fault", "passed": not strange and not anew, "expected": "끊어진 한 곳만 고침"}
    if anew:
        result["found"] = f"지우거나 새로 만든 것: {', '.join(anew)}"
        result["message"] = (
            f"{', '.join(anew)} 오브젝트를 지웠거나, 지우고 새로 만들었어요. 고장 난 곳만 고쳐야 무엇이 잘못이었는지 남아요."
        )
    elif touched:
        places = ", ".join(f"{NAMES[place[0]]}의 {'.'.join(str(step) for step in place[1:])}" for place in touched)
        result["found"] = f"바뀌었지만 메모와 다른 곳: {places}"
        result["message"] = (
            f"고쳤지만 아직 메모와 다른 곳이 있어요: {places}. 고장 난 곳이 남았거나, 멀쩡한 곳을 건드렸어요."
        )
    elif strange:
        result["found"] = "끊어진 곳이 그대로임"
        result["message"] = "끊어진 곳이 아직 그대로예요. 손님 쪽에서부터 한 고리씩 증거를 보며 찾아보세요."
    else:
        result["found"] = f"{kind}에서 {what}만 고침"
    result["timeline"] = timeline(kind, what, evidence.get("log"), done=result["passed"])
    return result


def was_done(about):
    """Whether a write changed anything: no rehearsal, and not refused."""
    return about.get("dry_run") != "true" and str(about.get("code") or "200").startswith("2")


def timeline(kind, what, log, *, done):
    """What happened when, in seconds from the first line of the log: broken, first seen, mended."""
    lines = [line for line in log if isinstance(line, dict)] if isinstance(log, list) else []
    times = [line.get("timeNano") for line in lines if isinstance(line.get("timeNano"), int)]
    if not times:
        return []
    start = min(times)

    def moments(test):
        return [
            round((line["timeNano"] - start) / 1e9)
            for line in lines
            if isinstance(line.get("timeNano"), int)
            and test(line.get("Action"), at(line, ("Actor", "Attributes")) or {})
        ]

    text = f"밤사이 {kind}에서 바뀐 곳: {what}" if done else "밤사이 한 곳이 바뀌었어요."
    found = [{"at": 0, "text": text, "tone": "bad"}]
    looked = moments(lambda action, about: action == "read")
    if looked:
        found.append({"at": looked[0], "text": "처음으로 클러스터를 들여다봤어요.", "tone": "seen"})
    seen = moments(lambda action, about: action == "read" and about.get("kind") == kind and about.get("name") == "shop")
    if done and seen and seen[0] != looked[0]:
        found.append({"at": seen[0], "text": f"고장 난 {kind} `shop`을 들여다봤어요.", "tone": "seen"})
    mended = moments(
        lambda action, about: (
            action == "wrote" and about.get("kind") == kind and about.get("name") == "shop" and was_done(about)
        )
    )
    if done and mended:
        found.append({"at": mended[-1], "text": f"{kind} `shop`을 마지막으로 고쳤어요.", "tone": "seen"})
    ready = moments(
        lambda action, about: (
            action in ("added", "changed") and about.get("kind") == "Pod" and about.get("ready") == "true"
        )
    )
    if done and mended:
        at_last = max([*mended[-1:], *ready[-1:]])
        found.append({"at": at_last, "text": f"다시 대답해요. 실습을 시작한 지 {at_last}초 만이에요.", "tone": "ok"})
    return sorted(found, key=lambda moment: moment["at"])


def main():
    given = json.load(sys.stdin)
    print(json.dumps([judge(given["vars"], given["evidence"])], ensure_ascii=False))


if __name__ == "__main__":
    main()
