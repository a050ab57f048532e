/**
 * Waits for the end that somebody asks for.
 *
 * @module
 */

/** Resolves when the signal is aborted, or was before. */
export function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
}
