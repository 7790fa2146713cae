import { readFileSync, statSync } from "node:fs"
import { InvalidArgument, NotFound } from "../../base/errors.ts"
import { BUILTIN, type SecretRules } from "./find-secrets.ts"
import { scanSecrets } from "./scan-secrets.ts"
import { skippedPaths } from "../skipped.ts"
import type { Scanner, ScanOptions } from "../scan.ts"

/** Trivy's name, in the working directory. */
const CONFIG_FILE = "trivy-secret.yaml"

const MAX_CONFIG_BYTES = 1024 ** 2

/** What nobody else should know. Throws InvalidArgument, NotFound for its file of rules. */
export const secretScanner: Scanner = async (subject, options) => {
  const { secrets, leftOut, isCut } = scanSecrets(subject, {
    rules: await rulesOf(options),
    isSkipped: skippedPaths(options),
    signal: options.signal,
  })
  return { findings: secrets, leftOut, isCut }
}

async function rulesOf({ secretConfig, withoutLocalFiles = false }: ScanOptions): Promise<SecretRules> {
  if (secretConfig === undefined && withoutLocalFiles) return BUILTIN
  const file = secretConfig ?? CONFIG_FILE
  const stat = statSync(file, { throwIfNoEntry: false })
  if (stat !== undefined) {
    // a stranger's directory may have a pipe of that name, which nobody writes to
    if (!stat.isFile() || stat.size > MAX_CONFIG_BYTES)
      throw new InvalidArgument(`"${file}" is no file of secret rules of at most 1 MiB`, { field: "secretConfig" })
    return (await import("./config-file.ts")).readSecretConfig(readFileSync(file, "utf8"), file)
  }
  if (secretConfig === undefined) return BUILTIN
  throw new NotFound(`no such file of secret rules: "${file}"`, { field: "secretConfig" })
}
