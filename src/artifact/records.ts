import type { Database } from "../base/database.ts"
import { InvalidArgument, NotFound } from "../base/errors.ts"
import { parseReference } from "../image/image.ts"
import type { Digest } from "../spec/digest.ts"
import type { Artifact } from "./artifact.ts"

interface Row {
  name: string
  digest: Digest
  size_bytes: number
  created_at: number
}

/** The rows of artifacts. Each call is one statement or transaction. */
export class ArtifactRecords {
  readonly #db: Database

  constructor(db: Database) {
    this.#db = db
  }

  list(): Artifact[] {
    return this.#db.all<Row>("SELECT * FROM artifacts ORDER BY name").map(toArtifact)
  }

  find(text: string): Artifact | undefined {
    const named = this.#byName(text)
    if (named !== undefined) return named
    const hex = text.replace(/^sha256:/, "")
    if (!/^[0-9a-f]{3,64}$/.test(hex)) return undefined
    const rows = this.#db.all<Row>("SELECT * FROM artifacts WHERE digest LIKE ? LIMIT 2", `sha256:${hex}%`)
    if (rows.length > 1) throw new InvalidArgument(`"${text}" may be several artifacts`, { hint: "give the name" })
    return rows[0] && toArtifact(rows[0])
  }

  get(text: string): Artifact {
    const found = this.find(text)
    if (found !== undefined) return found
    throw new NotFound(`${text}: artifact does not exist`, { data: { object: "artifact", name: text } })
  }

  #byName(text: string): Artifact | undefined {
    try {
      const row = this.#db.get<Row>("SELECT * FROM artifacts WHERE name = ?", artifactName(text))
      return row && toArtifact(row)
    } catch {
      return undefined // no name: a digest
    }
  }

  /** With all its blobs, in place of what has the name. */
  put({ name, digest, sizeBytes, createdAt }: Artifact, blobs: readonly Digest[]): void {
    this.#db.transaction(() => {
      this.delete(name)
      this.#db.run("INSERT INTO artifacts VALUES (?, ?, ?, ?)", name, digest, sizeBytes, createdAt.getTime())
      for (const blob of new Set(blobs)) this.#db.run("INSERT INTO artifact_blobs VALUES (?, ?)", name, blob)
    })
  }

  delete(name: string): void {
    this.#db.run("DELETE FROM artifacts WHERE name = ?", name)
  }
}

/** The blobs that artifacts need: never collected. Reads the records when called. */
export function referencedByArtifacts(db: Database): Digest[] {
  return db.all<{ digest: Digest }>("SELECT DISTINCT digest FROM artifact_blobs").map(({ digest }) => digest)
}

/** Full, with a tag. Without a registry it is localhost's, as a built image is. Throws InvalidArgument. */
export function artifactName(text: string): string {
  const { registry, repository, tag = "latest" } = parseReference(text)
  const isShort = registry === "docker.io" && !text.startsWith("docker.io/")
  return isShort ? `localhost/${repository.replace(/^library\//, "")}:${tag}` : `${registry}/${repository}:${tag}`
}

function toArtifact({ name, digest, size_bytes: sizeBytes, created_at: createdAt }: Row): Artifact {
  return { name, digest, sizeBytes, createdAt: new Date(createdAt) }
}
