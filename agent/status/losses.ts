/**
 * Counters of lost packets, and what they mean (Documentation/networking/xfrm_proc.rst).
 *
 * @module
 */

/** Packets that are counted under a name: "packets that …". */
export const LOSS_WORDS: Readonly<Record<string, string>> = {
  XfrmInError: 'could not be worked on for a reason that has no counter of its own',
  XfrmInBufferError: 'found no memory left',
  XfrmInHdrError: 'had no whole header',
  XfrmInNoStates: 'came with an SPI that no SA has',
  XfrmInStateProtoError: 'were not authentic, or had no whole AH or ESP',
  XfrmInStateModeError: 'were no tunnel where one was due, or the other way round',
  XfrmInStateSeqError: 'were outside of the replay window, or repeated',
  XfrmInStateExpired: 'came for an SA that had ended',
  XfrmInStateMismatch: 'did not fit the SA: its selector, or ESP in UDP',
  XfrmInStateInvalid: 'came for an SA that is not valid',
  XfrmInTmplMismatch: 'were not protected as policy asks',
  XfrmInNoPols: 'came out of a tunnel that no policy asks for',
  XfrmInPolBlock: 'came in and are refused by policy',
  XfrmInPolError: 'came in and met a policy that cannot be followed',
  XfrmOutError: 'could not be protected for a reason that has no counter of its own',
  XfrmOutBundleGenError: 'found no way to the end of the tunnel',
  XfrmOutBundleCheckError: 'had lost their way to the end of the tunnel',
  XfrmOutNoStates: 'found no SA to be protected by',
  XfrmOutStateProtoError: 'could not be protected',
  XfrmOutStateModeError: 'could not be brought into the mode of the SA',
  XfrmOutStateSeqError: 'found no sequence number left',
  XfrmOutStateExpired: 'had to go out by an SA that had ended',
  XfrmOutPolBlock: 'were to go out and are refused by policy',
  XfrmOutPolDead: 'were to go out by a policy that was just removed',
  XfrmOutPolError: 'were to go out by a policy that cannot be followed',
  XfrmFwdHdrError: 'were to be passed on and had no whole header',
  XfrmOutStateInvalid: 'had to go out by an SA that is not valid',
  XfrmAcquireError: 'needed an SA that could not be asked for',
  XfrmOutStateDirError: 'had to go out by an SA that only receives',
  XfrmInStateDirError: 'came for an SA that only sends',
  XfrmInIptfsError: 'were no whole IP-TFS',
  XfrmOutNoQueueSpace: 'found no room in the queue',
}

/** Those that say that policy refused what came in. */
export const REFUSED_BY_POLICY = [
  'XfrmInTmplMismatch',
  'XfrmInNoPols',
  'XfrmInPolBlock',
  'XfrmInPolError',
] as const

/** Reads a file like `/proc/net/xfrm_stat`: each counter, those of 0 included. */
export function parseLosses(text: string): Record<string, number> {
  const losses: Record<string, number> = {}
  for (const [, name = '', digits] of text.matchAll(/^(Xfrm\w+)\s+(\d+)$/gm)) losses[name] = Number(digits)
  return losses
}
