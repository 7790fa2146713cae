import type { Database } from "../../base/database.ts"
import { InvalidArgument, NotFound } from "../../base/errors.ts"
import { checkRowVersion } from "../../base/row-version.ts"
import type { BuildHistory, PastBuild } from "../build.ts"

const VERSION = 1
/** More are forgotten, the oldest first. */
const KEPT_BUILDS = 100

interface Document extends Omit<PastBuild, "startedAt" | "endedAt"> {
  version: number
  startedMs: number
  endedMs: number
}

/** The rows of ended builds. Every call is one short statement or transaction. */
export class HistoryRecords implements BuildHistory {
  readonly #db: Database

  constructor(db: Database) {
    this.#db = db
  }

  /** Remembers a build, and forgets what is too old. */
  add({ startedAt, endedAt, ...build }: PastBuild, log: string): void {
    const endedMs = endedAt.getTime()
    const document: Document = { ...build, version: VERSION, startedMs: startedAt.getTime(), endedMs }
    this.#db.transaction(() => {
      this.#db.run("INSERT INTO build_history VALUES (?, ?, ?, ?)", build.id, endedMs, JSON.stringify(document), log)
      this.#db.run(
        "DELETE FROM build_history WHERE id NOT IN (SELECT id FROM build_history ORDER BY ended_ms DESC LIMIT ?)",
        KEPT_BUILDS,
      )
    })
  }

  list(): PastBuild[] {
    return this.#db
      .all<{ document: string }>("SELECT document FROM build_history ORDER BY ended_ms DESC, rowid DESC")
      .map(({ document }) => toPastBuild(document))
  }

  get(ref: string): PastBuild {
    const all = this.list()
    const [, offset] = /^\^(\d+)$/.exec(ref) ?? []
    const found =
      offset === undefined ? all.filter(({ id }) => ref !== "" && id.startsWith(ref)) : [all[Number(offset)]]
    const [build] = found
    if (build === undefined) throw new NotFound(`no such build: "${ref}"`, { data: { object: "build", name: ref } })
    if (found.length > 1) throw new InvalidArgument(`"${ref}" is the beginning of several ids of builds`)
    return build
  }

  log(ref: string): string {
    const { id } = this.get(ref)
    return this.#db.get<{ log: string }>("SELECT log FROM build_history WHERE id = ?", id)?.log ?? ""
  }

  remove(refs: readonly string[]): void {
    this.#db.transaction(() => {
      const ids = refs.map((ref) => this.get(ref).id)
      for (const id of ids) this.#db.run("DELETE FROM build_history WHERE id = ?", id)
    })
  }

  clear(): void {
    this.#db.run("DELETE FROM build_history")
  }
}

function toPastBuild(text: string): PastBuild {
  const { version, startedMs, endedMs, ...build } = JSON.parse(text) as Document
  checkRowVersion({ version }, VERSION, `the build "${build.id}"`)
  return { ...build, startedAt: new Date(startedMs), endedAt: new Date(endedMs) }
}
