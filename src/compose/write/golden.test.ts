import { expect, test } from "bun:test"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { loadProject, loadProjectModel, type LoadRequest } from "../load/load.ts"
import { serviceHash } from "./hash.ts"
import { projectJson } from "./json.ts"
import { modelYaml, projectYaml } from "./yaml.ts"

// the golden files were written by docker compose 2.40.3, by `config` with --format, --hash and --no-interpolate: do not update them from ours
const testdata = join(import.meta.dir, "..", "testdata")
const golden = (name: string) => readFileSync(join(testdata, `${name}.golden`), "utf8")

const request = (file: string): LoadRequest => ({
  currentDirectory: testdata,
  files: [join(testdata, `${file}.yaml`)],
  projectDirectory: "/srv/p",
  profiles: ["*"],
  environmentFiles: [],
  environment: {},
  allResources: true,
})

for (const file of ["every-key", "more-keys"]) {
  test(`${file}: YAML, JSON and hashes are docker compose's, byte for byte`, async () => {
    const { project } = await loadProject(request(file))
    expect(projectYaml(project)).toBe(golden(`${file}.yaml`))
    expect(projectJson(project)).toBe(golden(`${file}.json`))
    const hashes = Object.entries(project.services).map(([name, service]) => `${name} ${serviceHash(service)}\n`)
    expect(hashes.toSorted().join("")).toBe(golden(`${file}.hash`))
  })

  test(`${file}: the model without interpolation is docker compose's`, async () => {
    const { model } = await loadProjectModel({ ...request(file), profiles: [], skipInterpolation: true })
    expect(modelYaml(model)).toBe(golden(`${file}.model`))
  })
}
