/** What may wait: for a lock, a pull, an end. Aborted, it throws Cancelled; what it had begun by then is finished or taken back. */
export interface Abortable {
  abort?: AbortSignal | undefined
}
