#!/bin/bash
# From the host, with Vagrant: the machines left and right protect all that they say to each other on the private
# network, with ipsecconf and ipseckey of this checkout; pings pass, both ways, and only ESP is on the wire.
set -eu
cd "${BASH_SOURCE[0]%/*}/../../.."
left=192.168.56.11 right=192.168.56.12

on() { vagrant ssh "$1" -c "sudo /solipsec/test/vm/vagrant/one-host.sh ${*:2}"; }
down() { on left down; on right down; }

vagrant up
vagrant rsync
for machine in left right; do vagrant ssh "$machine" -c 'cd /solipsec && sudo test/setup'; done
trap down EXIT
on left up "$left" "$right"
on right up "$right" "$left"
on left check "$left" "$right"
on right check "$right" "$left"
echo 'two hosts: all protected'
