/**
 * Where the package is installed, for what it reads of itself at run time.
 *
 * @module
 */

/** The package's folder, seen from the built module. The bundles lie as deep as this module does. */
export const PACKAGE_ROOT = new URL('../../../../', import.meta.url)
