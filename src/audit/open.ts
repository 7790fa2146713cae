import type { Database } from "../base/database.ts"
import type { Audit, AuditCaller, AuditEntry } from "./audit.ts"
import { ChainCheck, chainHash, NO_HASH, type StoredRow } from "./chain.ts"

const PAGE = 1000

/** The log of one store. `caller` is asked once, at the first append. */
export function openAudit({ db, caller }: { db: Database; caller: () => AuditCaller }): Audit {
  let known: AuditCaller | undefined
  return {
    append: ({ result = "done", ...change }) =>
      db.transaction(() => {
        const entry: AuditEntry = { time: Date.now(), ...change, ...(known ??= caller()), result }
        const text = JSON.stringify(entry)
        const last = db.get<{ seq: number; hash: string }>("SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1")
        // after a removal of the newest the table gives the next number all the same: that is the fault that verify finds
        const seq = Math.max(last?.seq ?? 0, lastSeq(db)) + 1
        const hash = chainHash(last?.hash ?? NO_HASH, seq, text)
        db.run("INSERT INTO audit (seq, entry, hash) VALUES (?, ?, ?)", seq, text, hash)
      }),
    list({ since, until } = {}) {
      const [from, to] = [since?.getTime() ?? -Infinity, until?.getTime() ?? Infinity]
      return [...rows(db)]
        .map(({ seq, entry, hash }) => ({ seq, entry: JSON.parse(entry) as AuditEntry, hash }))
        .filter(({ entry }) => entry.time >= from && entry.time <= to)
    },
    verify(head) {
      const check = new ChainCheck(head)
      for (const row of rows(db)) check.add(row)
      return check.end(lastSeq(db))
    },
  }
}

function* rows(db: Database): Generator<StoredRow> {
  for (let after = 0; ;) {
    const page = db.all<StoredRow>("SELECT seq, entry, hash FROM audit WHERE seq > ? ORDER BY seq LIMIT ?", after, PAGE)
    yield* page
    if (page.length < PAGE) return
    after = page.at(-1)?.seq ?? after
  }
}

function lastSeq(db: Database): number {
  return db.get<{ seq: number }>("SELECT seq FROM sqlite_sequence WHERE name = 'audit'")?.seq ?? 0
}
