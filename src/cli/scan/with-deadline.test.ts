import { expect, test } from "bun:test"
import { mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { findPackages } from "../../sbom/sbom.ts"
import { withDeadline } from "./with-deadline.ts"
import { tempDirectory } from "../../../test/support/temp-directory.ts"

test("a deadline ends work that never pauses", () => {
  const root = tempDirectory("skiff-deadline-")
  for (let at = 0; at < 40; at++) {
    mkdirSync(join(root, `node_modules/p${at}`), { recursive: true })
    writeFileSync(join(root, `node_modules/p${at}/package.json`), `{"name":"p${at}","version":"1"}`)
  }
  const late = withDeadline(new AbortController().signal, 1)
  for (const end = performance.now() + 5; performance.now() < end;);
  expect(() => findPackages(root, { signal: late })).toThrow("the scan was given up after 0.001 s")
  expect(findPackages(root, { signal: withDeadline(new AbortController().signal, 60_000) }).packages).toHaveLength(40)
})
