import { mkdtempSync, rmSync } from "node:fs"
import { join } from "node:path"
import type { Artifacts, TransferOptions } from "../../artifact/artifact.ts"
import type { DatabaseInfo, Scans } from "../../scan/scan.ts"

/** Trivy's, which any registry mirrors. */
export const DEFAULT_DATABASE = "mirror.gcr.io/aquasec/trivy-db:2"
/** Of an artifact with our own. */
export const DATABASE_TYPE = "application/vnd.skiff.vulnerability-db.v1"
/** Of its only file. */
export const DATABASE_FILE_TYPE = "application/vnd.skiff.vulnerability-db.v1+sqlite"

/** Pulls an artifact that is a vulnerability database, ours or Trivy's, and puts it in the place of the old one. */
export async function pullDatabase(
  { artifacts, scans }: { artifacts: Artifacts; scans: Scans },
  name: string,
  options: TransferOptions,
): Promise<DatabaseInfo> {
  const data = await scans.data()
  const artifact = await artifacts.pull(name, options)
  const directory = mkdtempSync(join(process.env["TMPDIR"] ?? "/var/tmp", "skiff-db-"))
  try {
    const file = join(directory, "artifact")
    const { layers } = await artifacts.manifest(artifact)
    await artifacts.extract(artifact.name, file, { digest: layers[0]?.digest })
    return await data.import(file)
  } finally {
    rmSync(directory, { recursive: true, force: true })
    // its bytes are in the database's directory now
    await artifacts.remove(artifact.name)
  }
}
