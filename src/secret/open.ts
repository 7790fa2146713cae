import { mkdirSync, readFileSync, rmSync } from "node:fs"
import { atomicWrite } from "../base/atomic-write.ts"
import { crashPoint } from "../base/crash-point.ts"
import type { Database } from "../base/database.ts"
import { AlreadyExists, DataLoss, hasErrno, InvalidArgument, NotFound } from "../base/errors.ts"
import { namesIn } from "../base/names-in.ts"
import { randomHex } from "../base/random-hex.ts"
import type { Events } from "../event/event.ts"
import { MAX_SECRET_BYTES, type Secret, type SecretId, type Secrets } from "./secret.ts"

interface Row {
  id: string
  name: string
  driver_options: string
  labels: string
  created_at: number
  updated_at: number
}

/** What the domain is handed. */
export interface SecretsDeps {
  db: Database
  events: Pick<Events, "append">
  /** The store's root: bytes lie in `<root>/secrets/<id>`. */
  root: string
}

/** Secrets as files of the store. */
export function openSecrets({ db, events, root }: SecretsDeps): Secrets {
  const directory = `${root}/secrets`

  const find = (nameOrId: string): Row => {
    const [exact] = db.all<Row>("SELECT * FROM secrets WHERE name = ?1 OR id = ?1 ORDER BY name = ?1 DESC", nameOrId)
    if (exact) return exact
    const isPrefix = /^[0-9a-f]{1,25}$/.test(nameOrId)
    const [first, second] = isPrefix
      ? db.all<Row>("SELECT * FROM secrets WHERE id >= ? AND id < ? LIMIT 2", nameOrId, `${nameOrId}g`)
      : []
    if (!first)
      throw new NotFound(`no such secret: "${nameOrId}"`, {
        hint: { do: "listSecrets" },
        data: { object: "secret", name: nameOrId },
      })
    if (second) throw new InvalidArgument(`secret id prefix "${nameOrId}" is ambiguous`, { hint: "give more digits" })
    return first
  }

  /** Of processes that were killed between the file and the record. Inside a transaction: nobody else is about to record one. */
  const sweep = (): void => {
    const known = new Set(db.all<{ id: string }>("SELECT id FROM secrets").map(({ id }) => id))
    for (const name of namesIn(directory)) if (!known.has(name)) rmSync(`${directory}/${name}`)
  }

  const tell = ({ id, name }: { id: string; name: string }, action: string): void => {
    events.append({ type: "secret", action, actor: { id, attributes: { name } } })
  }

  return {
    list: () => db.all<Row>("SELECT * FROM secrets ORDER BY created_at, rowid").map(toSecret),
    get: (nameOrId) => toSecret(find(nameOrId)),

    read(nameOrId) {
      const { id, name } = find(nameOrId)
      try {
        return readFileSync(`${directory}/${id}`)
      } catch (error) {
        if (!hasErrno(error, "ENOENT")) throw error
        throw new DataLoss(`the bytes of secret "${name}" are gone from the store`, {
          hint: "create it anew",
          cause: error,
        })
      }
    },

    create({ name, data, labels = {}, driverOptions = {}, replace = false }) {
      checkName(name)
      checkSize(name, data)
      const id = randomHex(13).slice(0, 25)
      mkdirSync(directory, { recursive: true, mode: 0o700 })
      let old: Row | undefined
      const created = db.transaction(() => {
        sweep()
        old = db.get<Row>("SELECT * FROM secrets WHERE name = ?", name)
        if (old && !replace)
          throw new AlreadyExists(`a secret named "${name}" exists already: secret name in use`, {
            field: "name",
            data: { object: "secret", name },
            hint: [{ do: "set", field: "replace" }, "choose another name"],
          })
        if (old) db.run("DELETE FROM secrets WHERE id = ?", old.id)
        atomicWrite(`${directory}/${id}`, data, { mode: 0o600, durable: true })
        crashPoint("secret:written")
        const now = Date.now()
        db.run(
          "INSERT INTO secrets (id, name, driver_options, labels, created_at, updated_at) VALUES (?, ?, ?, ?, ?, ?)",
          id,
          name,
          JSON.stringify(driverOptions),
          JSON.stringify(labels),
          old?.created_at ?? now,
          now,
        )
        tell({ id, name }, "create")
        return toSecret(find(id))
      })
      // not before the new one is recorded: killed between, it is the next change that sweeps it
      crashPoint("secret:replaced")
      if (old) rmSync(`${directory}/${old.id}`, { force: true })
      return created
    },

    remove: (nameOrId) =>
      db.transaction(() => {
        const row = find(nameOrId)
        db.run("DELETE FROM secrets WHERE id = ?", row.id)
        tell(row, "remove")
        // before the record has gone for good: killed between, there is a name without bytes, and never bytes without a name
        sweep()
        crashPoint("secret:removing")
        return toSecret(row)
      }),
  }
}

function toSecret(row: Row): Secret {
  return {
    id: row.id as SecretId,
    name: row.name,
    driver: "file",
    driverOptions: JSON.parse(row.driver_options) as Record<string, string>,
    labels: JSON.parse(row.labels) as Record<string, string>,
    createdAt: new Date(row.created_at),
    updatedAt: new Date(row.updated_at),
  }
}

/** Podman's rule: what `name,target=…` and `name=value` could not say is no name. */
function checkName(name: string): void {
  if (name.length > 0 && name.length <= 253 && !/[=,/\p{Cc}]/u.test(name)) return
  throw new InvalidArgument(`invalid secret name "${name.slice(0, 100)}"`, {
    field: "name",
    hint: "a name has from 1 to 253 characters, and none of `=`, `,`, `/` and control characters",
  })
}

function checkSize(name: string, { length }: Uint8Array): void {
  if (length > 0 && length <= MAX_SECRET_BYTES) return
  throw new InvalidArgument(
    `secret "${name}" has ${length} bytes: secret data must be larger than 0 and at most ${MAX_SECRET_BYTES} bytes`,
    { hint: length === 0 ? "its source is empty" : "keep what is larger in a volume" },
  )
}
