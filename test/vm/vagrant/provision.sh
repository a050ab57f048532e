#!/bin/bash
# Runs as root in a fresh Vagrant machine: Node 20 (Debian 12 has 18), then this checkout's packages and build.
set -e
export DEBIAN_FRONTEND=noninteractive
if ! command -v node >/dev/null; then
  apt-get update -q
  apt-get install -q -y --no-install-recommends ca-certificates curl gpg
  curl -fsSL https://deb.nodesource.com/gpgkey/nodesource-repo.gpg.key | gpg --dearmor -o /usr/share/keyrings/nodesource.gpg
  echo 'deb [signed-by=/usr/share/keyrings/nodesource.gpg] https://deb.nodesource.com/node_20.x nodistro main' \
    >/etc/apt/sources.list.d/nodesource.list
  apt-get update -q
  apt-get install -q -y nodejs
fi
cd /solipsec
source test/support/packages
need_for_tests
test/setup
