import { mkdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { atomicWrite } from "../../../base/atomic-write.ts"
import { hasErrno } from "../../../base/errors.ts"

/** With whose secrets an image that was not here before has come. */
interface Pulled {
  accounts: string[]
  /** The registry gives it to anybody. */
  isPublic?: boolean
}

/** Which images pods have brought here by their secrets, and by which: kept with the store, for the process after this one. */
export class PulledImages {
  readonly #file: string
  readonly #directory: string
  #byId: Map<string, Pulled> | undefined

  constructor(directory: string) {
    this.#directory = directory
    this.#file = join(directory, "pulled-images.json")
  }

  /** `accounts`: those of the pod. An image that nobody's secret has brought is for all. */
  mayUse(id: string, accounts: readonly string[]): boolean {
    const found = this.#read().get(id)
    return found === undefined || found.isPublic === true || accounts.some((one) => found.accounts.includes(one))
  }

  /** Whether anybody's secret has brought it. */
  knows(id: string): boolean {
    return this.#read().has(id)
  }

  /** The registry has given it. `isNew`: it was not here. What is not here any more is forgotten. */
  note(
    id: string,
    { account, isNew, isThere }: { account: string | undefined; isNew: boolean; isThere(id: string): boolean },
  ): void {
    const all = this.#read()
    const found = isNew ? undefined : all.get(id)
    if (found === undefined && (!isNew || account === undefined)) return
    const { accounts = [], isPublic = false } = found ?? {}
    if (account === undefined ? isPublic : accounts.includes(account)) return
    all.set(id, {
      accounts: account === undefined ? accounts : [...accounts, account],
      ...((isPublic || account === undefined) && { isPublic: true }),
    })
    for (const one of all.keys()) if (!isThere(one)) all.delete(one)
    mkdirSync(this.#directory, { recursive: true, mode: 0o700 })
    atomicWrite(this.#file, JSON.stringify(Object.fromEntries(all)), { durable: true })
  }

  #read(): Map<string, Pulled> {
    if (this.#byId !== undefined) return this.#byId
    let text: string
    try {
      text = readFileSync(this.#file, "utf8")
    } catch (error) {
      // what cannot be read for another reason is not taken for none: all that it tells of would be for all
      if (!hasErrno(error, "ENOENT")) throw error
      return (this.#byId = new Map())
    }
    return (this.#byId = new Map(Object.entries(JSON.parse(text) as Record<string, Pulled>)))
  }
}
