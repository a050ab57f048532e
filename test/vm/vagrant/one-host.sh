#!/bin/bash
# One end of two-hosts.sh: `one-host.sh up LOCAL REMOTE`, `one-host.sh down`, `one-host.sh check LOCAL REMOTE`.
# As root, anywhere: it needs only the built checkout. SPIs and keys follow from the addresses, so that both ends
# agree without a word.
set -eu
bin=$(cd "${BASH_SOURCE[0]%/*}/../../../bin" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

digest() { sha256sum <<<"$*" | cut -c "1-$1"; }

# An ipseckeys line for the packets from $1 to $2: test keys, worth nothing.
association() {
  printf 'add esp spi 0x%s src %s dst %s encr_alg aes encrkey %s auth_alg sha256 authkey %s\n' \
    "1$(digest 6 spi "$1" "$2")" "$1" "$2" "$(digest 32 encr "$1" "$2")" "$(digest 64 auth "$1" "$2")"
}

up() {
  (umask 077 && { association "$1" "$2" && association "$2" "$1"; } >"$work/ipseckeys")
  printf '{laddr %s raddr %s} ipsec {encr_algs aes encr_auth_algs sha256 sa shared}\n' "$1" "$2" >"$work/ipsecinit.conf"
  "$bin/ipseckey" -f "$work/ipseckeys"
  "$bin/ipsecconf" -a "$work/ipsecinit.conf"
}

down() {
  "$bin/ipsecconf" -f
  "$bin/ipseckey" flush
}

# Five pings from LOCAL to REMOTE, with nothing but ESP between the two on the wire.
check() {
  local wire="host $1 and host $2" device
  device=$(ip -o route get "$2" | sed -n 's/.* dev \([^ ]*\).*/\1/p')
  tcpdump -i "$device" -U --immediate-mode -Z root -w "$work/wire" "ip and $wire" 2>"$work/said" &
  until grep -q 'listening on' "$work/said"; do sleep 0.1; done
  ping -n -q -c 5 -i 0.2 "$2"
  sleep 1
  kill -INT $!
  wait $! || true
  local esp clear
  esp=$(tcpdump -n -r "$work/wire" 'ip proto 50' 2>/dev/null | wc -l)
  clear=$(tcpdump -n -r "$work/wire" 'not ip proto 50' 2>/dev/null | wc -l)
  echo "on the wire: $esp ESP packets, $clear others"
  ((esp >= 10 && clear == 0))
}

"$@"
