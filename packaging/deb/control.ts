/**
 * The control file of the Debian package. Pure.
 *
 * @module
 */

export interface PackageFacts {
  readonly version: string
  readonly architecture: string
  /** Of all files together, in kibibytes. */
  readonly installedSize: number
  readonly maintainer: string
}

/** @returns the text of `DEBIAN/control` */
export function controlText({ version, architecture, installedSize, maintainer }: PackageFacts): string {
  return `Package: solipsec
Version: ${version}
Architecture: ${architecture}
Maintainer: ${maintainer}
Installed-Size: ${installedSize}
Depends: nodejs (>= 20), libc6, libstdc++6
Recommends: nftables, iproute2
Suggests: bash-completion
Section: net
Priority: optional
Description: Solaris IPsec for Linux
 The commands ipsecconf, ipseckey and ipsecalgs of Solaris with their file
 formats, on the IPsec of the Linux kernel (XFRM): an unchanged ipsecinit.conf
 and ipseckeys of a Solaris or illumos host make exactly the traffic protected,
 refused or let through that they did there. What Linux cannot do exactly is
 refused with a reason.
 .
 The package brings the services svc:/network/ipsec/* as systemd units, and
 svcs, svcadm, svccfg and svcprop to look after them. Policy is loaded before
 any network interface is set up.
`
}
