#!/bin/sh
# Before nginx itself starts: what an image built from this one left in /docker-entrypoint.d, in order of names.
set -e
if [ "$1" = nginx ] || [ "$1" = nginx-debug ]; then
    for file in /docker-entrypoint.d/*; do
        case "$file" in
            *.envsh) [ -x "$file" ] && . "$file" ;;
            *.sh) [ -x "$file" ] && "$file" ;;
        esac
    done
fi
exec "$@"
