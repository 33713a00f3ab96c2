#!/bin/sh
# Adds the certificates that the building host trusts (a company's proxy, say) to this build stage.
# bin/start puts them beside this script; a build without them changes nothing.
set -eu
for file in "$(dirname "$0")"/host-ca*.crt; do
    [ -e "$file" ] || exit 0
    cat "$file" >>/etc/ssl/certs/ca-certificates.crt
done
