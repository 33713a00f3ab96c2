#!/bin/bash
# Starts Naru's own Docker engine and puts the run images into it.
#
# Expects a private cgroup namespace, CAP_SYS_ADMIN and CAP_NET_ADMIN, a volume on /var/lib/docker and
# the shared socket directory on /run/naru. `/run/naru/ready` appears when a run can be started and
# holds the identity of the images; it goes when the engine goes.
set -euo pipefail

socket_dir=/run/naru
socket=$socket_dir/docker.sock
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
load_images() {
    local archive name key
    for archive in /images/*.tar.gz; do
        name=$(basename "$archive" .tar.gz)
        key=$(cat "/images/$name.key")
        if [ "$(docker image inspect -f '{{index .Config.Labels "naru.content"}}' "$name:latest" 2>/dev/null)" = "$key" ]; then
            continue
        fi
        say "importing $name"
        local -a changes=(--change "LABEL naru.content=$key")
        local line
        while IFS= read -r line; do
            changes+=(--change "$line")
        done <"/images/$name.config"
        docker import "${changes[@]}" "$archive" "$name:latest" >/dev/null
    done
    docker image prune -f >/dev/null
}

stop() {
    trap '' TERM INT
    rm -f "$socket_dir/ready"
    kill -TERM "$daemon" 2>/dev/null || true
    wait "$daemon" || true
    rm -f "$socket"
    exit 0
}

mkdir -p "$socket_dir"
rm -f "$socket_dir/ready" "$socket" /var/run/docker.pid /var/run/docker/containerd/containerd.pid
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
code=0
wait "$daemon" || code=$?
rm -f "$socket_dir/ready"
say "dockerd ended by itself ($code)"
exit $((code == 0 ? 1 : code)) # never in order: whoever started us may start us again
