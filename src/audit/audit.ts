/**
 * Who changed what: one row for each change, appended in the transaction of the change itself, and chained by hashes.
 *
 *   row n:   seq ─ entry ─ hash = sha256(hash of row n-1, seq, entry)
 *
 * A change, a removal or an insertion of a row breaks the chain from there on, and a removal of the newest is seen by the number that
 * was given last. Who may write to the records may make the whole chain anew: against that helps the newest hash, noted down elsewhere.
 * Never written: values of environment variables, secrets, passwords.
 */

/** Who asked, and how. */
export interface AuditCaller {
  /** Of the process. */
  uid: number
  /** Of the account that logged in, whatever sudo made of it (proc_pid_loginuid(5)). */
  loginUid?: number
  /** `pts/3`. */
  tty?: string
  pid: number
  /** `container run`. */
  command: string
  /** By the flags' names; of those that may carry a secret the name alone. */
  flags: Readonly<Record<string, string>>
}

/** One change, or one refusal. */
export interface AuditEntry extends AuditCaller {
  /** Milliseconds since the epoch. */
  time: number
  /** `container start`. */
  action: string
  /** Id and name of what was changed. */
  subject: string
  name?: string
  /** Of the image that it is about. */
  image?: string
  imageDigest?: string
  /** `done`, or the code of the error. */
  result: string
}

/** An entry in its place. */
export interface AuditRow {
  seq: number
  entry: AuditEntry
  hash: string
}

/** What is wrong with the log. */
export interface AuditFault {
  seq: number
  kind: "changed" | "missing" | "inserted" | "cut off" | "not the noted head"
}

/** What a look at all of it found. */
export interface AuditReport {
  rows: number
  /** The newest hash: to be noted down elsewhere. */
  head: string
  /** In order; empty when all is as it was written. */
  faults: readonly AuditFault[]
}

/** The log of one store. */
export interface Audit {
  /** Call it in the transaction of the change. One read and one insert. */
  append(change: AuditChange): void
  /** Oldest first, `since` and `until` included. */
  list(range?: { since?: Date; until?: Date }): AuditRow[]
  /** Reads all. `head`: a hash that was noted down, and must be among those that there are. */
  verify(head?: string): AuditReport
}

/** What was changed; who did it is known to the log. */
export type AuditChange = Pick<AuditEntry, "action" | "subject" | "name" | "image" | "imageDigest"> & {
  result?: string
}
