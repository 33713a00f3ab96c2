#!/bin/bash
# Starts Naru's own Docker engine and puts the images of runs and labs into it.
#
# Expects a private cgroup namespace, CAP_SYS_ADMIN and CAP_NET_ADMIN, a volume on /var/lib/docker and
# the shared socket directory on /run/naru. `/run/naru/ready` appears when a run can be started and
# holds the identity of the run images; it goes when the engine goes. The images of labs are larger: they are
# put in after that, and `/run/naru/environments.json` says how far that is. NARU_ENGINE_LABS=0 leaves them out.
set -euo pipefail

socket_dir=/run/naru
socket=$socket_dir/docker.sock
told=$socket_dir/environments.json
preparing="실습 환경을 준비하고 있어요."
export DOCKER_HOST=unix://$socket

say() { echo "engine: $*"; }

# Docker gives a container read-only cgroups. The private namespace shows only our own subtree, so
# writing there reaches nothing of the host's, and everything below goes when this container goes.
open_cgroups() {
    if [ "$(stat -f -c %T /sys/fs/cgroup)" = cgroup2fs ]; then
        mount -o remount,rw /sys/fs/cgroup
        # v2 allows no processes beside controllers: move ourselves one level down first.
        mkdir -p /sys/fs/cgroup/engine
        local pid
        while read -r pid; do
            echo "$pid" >/sys/fs/cgroup/engine/cgroup.procs 2>/dev/null || true # it may have ended meanwhile
        done </sys/fs/cgroup/cgroup.procs
        sed 's/^/+/; s/ / +/g' /sys/fs/cgroup/cgroup.controllers >/sys/fs/cgroup/cgroup.subtree_control
        return
    fi
    # v1: a fresh tmpfs with only v1 hierarchies; a `unified` one beside them ("hybrid") confuses runc.
    local target controllers
    while read -r target; do
        umount -l "$target"
    done < <(awk '$3 == "cgroup" || $3 == "cgroup2" {print $2}' /proc/mounts)
    mount -t tmpfs -o mode=755,size=1m naru-cgroups /sys/fs/cgroup
    while IFS=: read -r _ controllers _; do
        [ -n "$controllers" ] || continue # 0:: is the v2 hierarchy
        local name=${controllers#name=}
        mkdir -p "/sys/fs/cgroup/$name"
        mount -t cgroup -o "$controllers" cgroup "/sys/fs/cgroup/$name" || rmdir "/sys/fs/cgroup/$name"
        # cpu,cpuacct: readers look for each controller under its own name
        local each
        for each in ${name//,/ }; do
            [ -e "/sys/fs/cgroup/$each" ] || ln -s "$name" "/sys/fs/cgroup/$each"
        done
    done </proc/self/cgroup
}

# One tar per image, keyed by its content: an unchanged restart imports nothing.
is_there() { # archive
    local name
    name=$(basename "$1" .tar.gz)
    [ "$(docker image inspect -f '{{index .Config.Labels "naru.content"}}' "$name:latest" 2>/dev/null)" = "$(cat "${1%.tar.gz}.key")" ]
}

import() { # archive, which is its stdin
    local name line
    name=$(basename "$1" .tar.gz)
    local -a changes=(--change "LABEL naru.content=$(cat "${1%.tar.gz}.key")")
    while IFS= read -r line; do
        changes+=(--change "$line")
    done <"${1%.tar.gz}.config"
    say "importing $name"
    docker import "${changes[@]}" - "$name:latest" >/dev/null
}

load_images() {
    local archive
    for archive in /images/*.tar.gz; do
        is_there "$archive" || import "$archive" <"$archive"
    done
    docker image prune -f >/dev/null
}

# How far the labs are, for the portal: environment -> state, percent, and a sentence for learners.
declare -A labs=()
tell() { # environment, state, percent, text
    labs[$1]="{\"state\": \"$2\", \"percent\": $3, \"text\": \"$4\"}"
    local name separator=
    {
        printf '{'
        for name in "${!labs[@]}"; do
            printf '%s"%s": %s' "$separator" "$name" "${labs[$name]}"
            separator=', '
        done
        printf '}\n'
    } >"$told.new"
    mv "$told.new" "$told"
}

load_lab() { # archive
    local environment size position
    environment=$(cat "${1%.tar.gz}.environment")
    if ! is_there "$1"; then
        size=$(stat -c %s "$1")
        import "$1" <"$1" &
        local importing=$!
        while kill -0 "$importing" 2>/dev/null; do
            # The archive is the stdin of what imports it; putting away what was read takes the rest.
            position=$(awk '/^pos:/ {print $2}' "/proc/$importing/fdinfo/0" 2>/dev/null) || position=0
            tell "$environment" building $((95 * ${position:-0} / size)) "$preparing"
            read -rt 0.5 <> <(:) || true
        done
        wait "$importing" || return 1
    fi
    tell "$environment" ready 100 "실습 환경이 준비됐어요."
}

load_labs() {
    local archive
    for archive in "$@"; do
        load_lab "$archive" && continue
        say "importing $(basename "$archive" .tar.gz) failed"
        tell "$(cat "${archive%.tar.gz}.environment")" failed 0 "실습 환경을 준비하지 못했어요. 관리자에게 알려 주세요."
    done
    docker image prune -f >/dev/null
    say "labs done"
}

stop() {
    trap '' TERM INT
    rm -f "$socket_dir/ready" "$told"
    kill -TERM "$daemon" 2>/dev/null || true
    wait "$daemon" || true
    rm -f "$socket"
    exit 0
}

mkdir -p "$socket_dir"
rm -f "$socket_dir/ready" "$told" "$socket" /var/run/docker.pid /var/run/docker/containerd/containerd.pid
open_cgroups
dockerd --host "unix://$socket" --group "${NARU_SOCKET_GROUP:-$(stat -c %g "$socket_dir")}" --log-level "${NARU_ENGINE_LOG:-warn}" &
daemon=$!
trap stop TERM INT

until docker version >/dev/null 2>&1; do
    kill -0 "$daemon" 2>/dev/null || { say "dockerd ended"; wait "$daemon"; exit 1; }
    read -rt 0.05 <> <(:) || true # a sleep that starts no process
done
docker container prune -f >/dev/null # what a crash of the engine left
load_images
cat /images/*.key >"$socket_dir/ready"
say "ready"
if [ "${NARU_ENGINE_LABS:-1}" != 0 ]; then
    for archive in /labs/images/*.tar.gz; do
        tell "$(cat "${archive%.tar.gz}.environment")" building 0 "$preparing"
    done
    load_labs /labs/images/*.tar.gz &
fi
code=0
wait "$daemon" || code=$?
rm -f "$socket_dir/ready" "$told"
say "dockerd ended by itself ($code)"
exit $((code == 0 ? 1 : code)) # never in order: whoever started us may start us again
