/**
 * Configuration files of the two daemons (strongswan.conf(5), swanctl.conf(5)).
 *
 * @module
 */

/**
 * Only what is needed, and AES-GCM with the processor's own instructions before OpenSSL's, which is strongSwan's order.
 *
 * The protected traffic has the same addresses as IKE and ESP: a mark on what the daemon sends keeps that out of the
 * plugin's device, as the manual page says for `allow_peer_ts`.
 */
export const daemon = `charon-systemd {
  load = random nonce aesni openssl hmac kdf sha1 sha2 pem kernel-libipsec kernel-netlink socket-default vici
  plugins {
    kernel-libipsec {
      allow_peer_ts = yes
    }
    kernel-netlink {
      fwmark = !0x42
    }
    socket-default {
      fwmark = 0x42
    }
  }
}
swanctl {
  load = random openssl
}
`

/** Of a host at `local` with another one at `remote`: everything between the two is protected, and nothing is rekeyed. */
export function connections(local: string, remote: string): string {
  return `connections {
  peer {
    version = 2
    local_addrs = ${local}
    remote_addrs = ${remote}
    proposals = aes128gcm16-prfsha256-ecp256
    rekey_time = 0
    mobike = no
    local {
      auth = psk
      id = ${local}
    }
    remote {
      auth = psk
      id = ${remote}
    }
    children {
      host {
        mode = tunnel
        local_ts = ${local}
        remote_ts = ${remote}
        esp_proposals = aes128gcm16
        rekey_time = 0
      }
    }
  }
}
secrets {
  ike {
    secret = "known to both hosts of a benchmark"
  }
}
`
}
