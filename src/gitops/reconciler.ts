import { createHash } from "node:crypto"
import { basename, join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import { InvalidArgument, isSkiffError } from "../base/errors.ts"
import { printable } from "../base/printable.ts"
import { textWithoutCredentials } from "../base/without-credentials.ts"
import { listAt, textAt, type KubeClient, type ResourceKind, type Tree } from "../kube/kube.ts"
import type { GitopsEvent, GitopsOptions, GitopsStatus } from "./gitops-options.ts"
import { recordEvent, type EventSubject } from "./record-event.ts"
import {
  applyWanted,
  fingerprint,
  keptObjects,
  prune,
  revisionOf,
  validate,
  wantedOf,
  type Wanted,
} from "./object-set.ts"
import { readDirectory } from "./read-directory.ts"
import { Repository } from "./repository.ts"

const MAX_EVENTS = 100
/** A commit that was refused is tried anew: what it lacked may have come. */
const RETRY_MS = 60_000

/** See gitops.ts. One at a time for a repository, a path and a server. */
export class Reconciler implements AsyncDisposable {
  readonly status: GitopsStatus
  readonly #options: GitopsOptions
  readonly #client: KubeClient
  readonly #repository: Repository
  /** What is kept, of the commit that was applied last. */
  #wanted: readonly Wanted[] | undefined
  /** Of each object as we left it, by its key. */
  readonly #left = new Map<string, string>()
  #refused: { commit: string; at: number } | undefined

  private constructor(options: GitopsOptions, name: string, repository: Repository) {
    this.#options = options
    this.#client = options.client
    this.#repository = repository
    this.status = {
      name,
      repository: textWithoutCredentials(options.repository),
      branch: options.branch ?? "HEAD",
      path: options.path,
      target: options.client.transport.server,
      state: "starting",
      driftCorrected: 0,
      objects: [],
      events: [],
    }
  }

  static async open(options: GitopsOptions): Promise<Reconciler> {
    const { repository, path, client } = options
    const name = options.name ?? usualName(repository, path)
    if (!/^[a-z0-9](?:[-a-z0-9_.]{0,61}[a-z0-9])?$/i.test(name))
      throw new InvalidArgument(`"${name}" cannot be a label's value`, {
        field: "name",
        hint: "letters, digits, -, _ and ., at most 63 of them",
      })
    const server = createHash("sha256").update(client.transport.server).digest("hex").slice(0, 8)
    const directory = join(options.directory, `${name}-${server}`)
    return new Reconciler(options, name, await Repository.open(directory, repository, options.branch, options.signal))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#repository[Symbol.dispose]()
  }

  /** Pass after pass, until the signal. */
  async run(): Promise<void> {
    const { signal, intervalMs, isOnce } = this.#options
    while (!signal.aborted) {
      await this.#pass()
      this.status.lastPass = new Date().toISOString()
      if (isOnce) return
      await sleep(intervalMs, undefined, { signal }).catch(() => {})
    }
  }

  async #pass(): Promise<void> {
    const { signal } = this.#options
    try {
      const head = await this.#repository.head()
      // the branch was put back to what is applied
      if (head === this.status.applied?.commit) this.#refused = undefined
      if (this.status.state === "unreachable" || (this.status.state === "broken" && this.#refused === undefined))
        this.#is(this.#refused === undefined ? "synced" : "broken")
      if (head !== this.status.applied?.commit && !this.#isRefused(head)) {
        await this.#take(await this.#repository.fetch())
        return
      }
    } catch (error) {
      if (signal.aborted) return
      await this.#failed("unreachable", "RepositoryUnreachable", error)
    }
    if (!signal.aborted) await this.#correct()
  }

  #isRefused(commit: string): boolean {
    return this.#refused?.commit === commit && Date.now() - this.#refused.at < RETRY_MS
  }

  /** Applies a commit, or refuses it as a whole. */
  async #take(commit: string): Promise<void> {
    const { signal } = this.#options
    this.status.head = await this.#repository.info(commit)
    let wanted: Wanted[]
    try {
      wanted = await this.#read(commit)
      await validate(this.#client, this.status.name, wanted)
    } catch (error) {
      if (signal.aborted) return
      this.#refused = { commit, at: Date.now() }
      await this.#failed("broken", "BrokenCommit", error, commit)
      await this.#takeUp()
      return this.#correct()
    }
    const changed: string[] = []
    try {
      for (const one of wanted) {
        signal.throwIfAborted()
        if (await this.#apply(one)) changed.push(one.title)
      }
    } catch (error) {
      if (signal.aborted) return
      return this.#failed("failed", "ApplyFailed", error, commit)
    }
    this.#wanted = wanted
    this.#refused = undefined
    const isNew = this.status.applied?.commit !== commit
    const gone = await this.#prune(wanted)
    const time = new Date().toISOString()
    this.status.applied = { commit, time }
    this.status.objects = wanted.map(({ title, namespace = "" }) => ({ title, namespace, time }))
    this.#is("synced")
    if (isNew)
      await this.#tell({
        reason: "Applied",
        type: "Normal",
        commit,
        message: `${changed.length} of ${wanted.length} objects changed${gone.length > 0 ? `, pruned ${gone.join(", ")}` : ""}: ${this.status.head.subject}`,
      })
  }

  async #read(commit: string): Promise<Wanted[]> {
    const { signers, path, namespace, directory, signal } = this.#options
    if (signers !== undefined) await this.#repository.verify(commit, signers)
    const tree = await this.#repository.checkout(commit)
    const manifests = await readDirectory(tree, path, {
      namespace: namespace ?? this.#client.transport.namespace,
      scratch: join(directory, `${this.status.name}.helm`),
      signal,
    })
    return wantedOf(this.#client, manifests, { name: this.status.name, commit, namespace })
  }

  /** After a start with a broken commit: the one that was applied is read from the objects, and kept. */
  async #takeUp(): Promise<void> {
    if (this.#wanted !== undefined) return
    try {
      const kept = await keptObjects(this.#client, this.status.name, () => {})
      const commits = new Set(kept.map(({ object }) => revisionOf(object)).filter((commit) => commit !== undefined))
      const commit = await this.#repository.newest([...commits])
      if (commit === undefined) return
      await this.#repository.ensure(commit)
      this.#wanted = await this.#read(commit)
      const time = new Date().toISOString()
      this.status.applied = { commit, time }
      this.status.objects = this.#wanted.map(({ title, namespace = "" }) => ({ title, namespace, time }))
    } catch (error) {
      if (this.#options.signal.aborted) return
      this.status.message += `\nthe commit that was applied cannot be read: ${message(error)}`
    }
  }

  /** Puts back what others changed. */
  async #correct(): Promise<void> {
    const { signal } = this.#options
    const wanted = this.#wanted
    if (wanted === undefined) return
    try {
      const live = await this.#live(wanted)
      for (const one of wanted) {
        signal.throwIfAborted()
        const key = keyOf(one)
        const object = live.get(key)
        if (object !== undefined && this.#left.get(key) === fingerprint(object)) continue
        if (!(await this.#apply(one))) continue
        this.status.driftCorrected++
        const what = object === undefined ? "was gone, and is back" : "was changed, and is put back"
        await this.#tell(
          {
            reason: "DriftCorrected",
            type: "Normal",
            message: `${one.title} ${what}`,
            commit: this.status.applied?.commit,
          },
          one,
        )
      }
      if (this.status.state === "failed") this.#is(this.#refused === undefined ? "synced" : "broken")
    } catch (error) {
      if (signal.aborted) return
      await this.#failed("failed", "ApplyFailed", error, this.status.applied?.commit)
    }
  }

  /** All that are there, by one list a kind and a namespace. */
  async #live(wanted: readonly Wanted[]): Promise<Map<string, Tree>> {
    const lists = new Map<string, { kind: ResourceKind; namespace: string | undefined }>()
    for (const { kind, namespace } of wanted) lists.set(placeKey(kind, namespace), { kind, namespace })
    const found = new Map<string, Tree>()
    for (const { kind, namespace } of lists.values()) {
      const list = await this.#client.list(kind, { namespace }).catch((error: unknown) => {
        if (isSkiffError(error, "NotFound")) return { items: [] }
        throw error
      })
      for (const object of listAt(list, "items"))
        found.set(`${placeKey(kind, namespace)} ${textAt(object, "metadata", "name")}`, object as Tree)
    }
    return found
  }

  async #apply(wanted: Wanted): Promise<boolean> {
    try {
      const { object, isChanged } = await applyWanted(this.#client, wanted)
      this.#left.set(keyOf(wanted), fingerprint(object))
      return isChanged
    } catch (error) {
      if (!isSkiffError(error)) throw error
      throw error.restated(`${wanted.place}: ${wanted.title}: ${error.message}`)
    }
  }

  async #prune(wanted: readonly Wanted[]): Promise<string[]> {
    const faults: string[] = []
    const gone = await prune(this.#client, this.status.name, wanted, (fault) => faults.push(fault))
    if (faults.length > 0)
      await this.#tell({
        reason: "PruneFailed",
        type: "Warning",
        message: faults.join("\n"),
        commit: wanted[0] && revisionOf(wanted[0].object),
      })
    return gone
  }

  #is(state: GitopsStatus["state"], text?: string): void {
    this.status.state = state
    if (text === undefined) delete this.status.message
    else this.status.message = text
  }

  /** Once for each thing that is wrong. */
  async #failed(
    state: GitopsStatus["state"],
    reason: GitopsEvent["reason"],
    error: unknown,
    commit?: string,
  ): Promise<void> {
    const text = message(error)
    const isNews = this.status.state !== state || this.status.message !== text
    this.#is(state, text)
    if (isNews) await this.#tell({ reason, type: "Warning", message: text, commit })
  }

  async #tell(
    of: Omit<GitopsEvent, "time" | "commit"> & { commit?: string | undefined },
    about?: Wanted,
  ): Promise<void> {
    const { commit, ...more } = of
    const event: GitopsEvent = { time: new Date().toISOString(), ...more, ...(commit !== undefined && { commit }) }
    this.status.events = [event, ...this.status.events].slice(0, MAX_EVENTS)
    this.#options.report(event)
    await recordEvent(this.#client, event, this.#subject(about))
  }

  #subject(about: Wanted | undefined): EventSubject {
    const usual = this.#options.namespace ?? this.#client.transport.namespace
    return about === undefined
      ? { object: { apiVersion: "v1", kind: "Namespace", metadata: { name: usual } }, namespace: usual }
      : { object: about.object, namespace: about.namespace ?? "default" }
  }
}

function placeKey(kind: ResourceKind, namespace: string | undefined): string {
  return `${kind.plural}.${kind.group} ${namespace ?? ""}`
}

function keyOf({ kind, namespace, name }: Wanted): string {
  return `${placeKey(kind, namespace)} ${name}`
}

/** What went wrong, without passwords and without what a terminal would obey. */
function message(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error)
  const hint = isSkiffError(error) && typeof error.hint === "string" ? `\n${error.hint}` : ""
  return printable(textWithoutCredentials(text + hint)).slice(0, 8000)
}

/** `shop-1a2b3c4d`: of where the files are. Another branch of the same takes over the same objects. */
function usualName(repository: string, path: string): string {
  const place = textWithoutCredentials(repository).replace(/\/$/, "")
  const hash = createHash("sha256").update(`${place}\0${path}`).digest("hex").slice(0, 8)
  const base = basename(place)
    .replace(/\.git$/, "")
    .replace(/[^\w.-]/g, "-")
    .replace(/^[^a-zA-Z0-9]+/, "")
    .slice(0, 40)
  return `${base || "repository"}-${hash}`
}
